package tidegate

import "encoding/json"

// Attr is a free-form pair, for what the contract grows by.
type Attr struct{ Key, Value string }

// Position says how far everything is done: everything below TS and Seq rows at it (stage 0), rows at TS (1), the DDL at TS (2),
// the syncpoint at TS (3).
type Position struct {
	TS    uint64
	Stage uint8
	Seq   uint64
}

// Context is what an instance was started for.
type Context struct {
	// Changefeed is namespace/name.
	Changefeed string
	// This instance writes lane Lane of Lanes of slot Slot. The instance that runs DDL has Lane == Lanes.
	Slot, Lane, Lanes uint32
	// Epoch is the fencing token: (owner revision, number). Greater means newer.
	Epoch [2]uint64
	// Config is the JSON text of the plugin's part of the changefeed's configuration, checked against the manifest's schema.
	Config string
	// Checkpoint is durable already, with everything below it.
	Checkpoint Position
	// State is what this plugin (or the version before it) returned with its last acknowledged barrier; nil: nothing.
	State []byte
	// Endpoints are the names the instance may open with the capabilities.
	Endpoints []string
	// TGRMinor is the newest TGR1 minor the host writes.
	TGRMinor uint32
	Attrs    []Attr
}

// DecodeConfig decodes the configuration into a struct with json tags. A configuration that does not fit is a fatal failure.
func (c *Context) DecodeConfig(into any) error {
	if c.Config == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(c.Config), into); err != nil {
		return Fatal("config", err)
	}
	return nil
}

// Capability is something the plugin asks for.
type Capability struct {
	// Name of the interface, for example "sql".
	Name string
	// Required: without it the plugin does not start.
	Required bool
	// Reason is for the operator who grants it.
	Reason string
}

// Manifest is what a plugin says of itself before anything else runs.
type Manifest struct {
	// Name in lower case.
	Name    string
	Version string
	// ConfigSchema is a JSON Schema of the configuration; empty: takes none.
	ConfigSchema string
	Capabilities []Capability
	Attrs        []Attr
}
