// Command {{name}} puts stars in place of the texts of some columns.
package main

import (
	"slices"

	"tidegate"
	"tidegate/tgr1"
	"tidegate/transform"
)

func init() {
	transform.Serve(tidegate.Manifest{
		Name: "{{name}}", Version: "0.1.0",
		ConfigSchema: `{
			"type": "object",
			"properties": {"columns": {"type": "array", "items": {"type": "string"}}},
			"additionalProperties": false
		}`,
	}, &plugin{})
}

func main() {}

type plugin struct {
	config struct {
		// Names of the columns, in any table.
		Columns []string `json:"columns"`
	}
}

func (p *plugin) Open(ctx *tidegate.Context) error { return ctx.DecodeConfig(&p.config) }

// hidden says whether a column shows stars. Keys keep their values: rows that differ must stay different.
func (p *plugin) hidden(table *tidegate.Table, col int) bool {
	column := &table.Columns[col]
	named := column.Logical == tgr1.Text && slices.Contains(p.config.Columns, column.Name)
	return named && !slices.Contains(table.KeyColumns(), uint32(col))
}

// OnSchema leaves tables without such columns alone. The columns stay what they are, so there is no other output to name.
func (p *plugin) OnSchema(table *tidegate.Table) (plan transform.Plan, err error) {
	for col := range table.Columns {
		plan.Active = plan.Active || p.hidden(table, col)
	}
	return plan, nil
}

func (p *plugin) Transform(rows *tidegate.Rows, out *transform.Output) error {
	for i, row := range rows.All() {
		out.From(i, row)
		if after, ok := row.After(); ok {
			out.BeginAfter()
			p.copy(rows.Table, out, after)
		}
		if before, ok := row.Before(); ok {
			out.BeginBefore()
			p.copy(rows.Table, out, before)
		}
		if err := out.End(); err != nil {
			return err
		}
	}
	return nil
}

func (p *plugin) copy(table *tidegate.Table, out *transform.Output, record tidegate.Record) {
	for col := range record.Len() {
		if p.hidden(table, col) && !record.IsNull(col) {
			out.PutBytes(col, []byte("***"))
		} else {
			out.Copy(col, record, col)
		}
	}
}
