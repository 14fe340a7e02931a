package main

import (
	"github.com/pingcap/kvproto/pkg/kvrpcpb"
	"github.com/pingcap/kvproto/pkg/metapb"
)

// regions lists all regions by key. The engine's own listing leaves out a region without bounds.
func (c *core) regions() (all []*metapb.Region) {
	for _, r := range c.cluster.ScanRegions(nil, nil, 0) {
		all = append(all, r.Meta)
	}
	if len(all) == 0 {
		whole, _, _, _ := c.cluster.GetRegionByKey([]byte{0})
		all = []*metapb.Region{whole}
	}
	return all
}

func (c *core) regionByID(id uint64) *metapb.Region {
	for _, r := range c.regions() {
		if r.Id == id {
			return r
		}
	}
	return nil
}

// rangeOf is the raw range of a region; everything when it is not known.
func (c *core) rangeOf(id uint64) keyRange {
	if r := c.regionByID(id); r != nil {
		return decodeRange(r.StartKey, r.EndKey)
	}
	return keyRange{}
}

// splitDone gives the parts of a split the epoch that TiKV would: the parent's version plus the number of new
// regions. (The engine starts new ones at 1.) Then the feeds of changed regions end.
func (c *core) splitDone(old []*metapb.Region, answer *kvrpcpb.SplitRegionResponse) {
	versionOf := map[uint64]uint64{}
	for _, r := range old {
		versionOf[r.Id] = r.RegionEpoch.Version
	}
	now := c.regions()
	// New regions follow, in key order, the one they were cut from.
	for from := 0; from < len(now); {
		to := from + 1
		for to < len(now) && versionOf[now[to].Id] == 0 {
			to++
		}
		if parts := to - from; parts > 1 {
			c.setVersion(now[from:to], versionOf[now[from].Id]+uint64(parts-1), answer)
		}
		from = to
	}
	c.endChanged()
}

func (c *core) setVersion(parts []*metapb.Region, version uint64, answer *kvrpcpb.SplitRegionResponse) {
	for _, part := range parts {
		at := &kvrpcpb.Context{RegionId: part.Id, RegionEpoch: part.RegionEpoch}
		if live, refused := c.cluster.GetRegionFromCtx(at); refused == nil {
			live.Meta().RegionEpoch.Version = version
		}
		for _, told := range answer.Regions {
			if told.Id == part.Id {
				told.RegionEpoch.Version = version
			}
		}
	}
}
