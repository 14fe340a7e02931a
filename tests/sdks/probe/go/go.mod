module probe

go 1.24

require tidegate v0.0.0

replace tidegate => ../../../../sdk/go
