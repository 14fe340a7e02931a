package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/pingcap/kvproto/pkg/metapb"
	"github.com/pingcap/kvproto/pkg/pdpb"
	pd "github.com/tikv/pd/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// gcWorker always holds the safe point of the cluster's own garbage collection.
const gcWorker = "gc_worker"

// placement serves the part of PD that a change feed needs. Timestamps are those of the engine.
type placement struct {
	pdpb.UnimplementedPDServer
	core                *core
	oracle              pd.Client
	clusterID           uint64
	url, store, version string

	mu    sync.Mutex
	holds map[string]hold
}

// hold keeps garbage collection below ts until it expires.
type hold struct {
	ts    uint64
	until time.Time
}

func (p *placement) ok() *pdpb.ResponseHeader { return &pdpb.ResponseHeader{ClusterId: p.clusterID} }

func (p *placement) no(format string, args ...any) *pdpb.ResponseHeader {
	return &pdpb.ResponseHeader{ClusterId: p.clusterID, Error: &pdpb.Error{Type: pdpb.ErrorType_UNKNOWN, Message: fmt.Sprintf(format, args...)}}
}

func (p *placement) check(h *pdpb.RequestHeader) error {
	if h.GetClusterId() == p.clusterID {
		return nil
	}
	return status.Errorf(codes.FailedPrecondition, "mismatch cluster id, need %d but got %d", p.clusterID, h.GetClusterId())
}

func (p *placement) GetMembers(context.Context, *pdpb.GetMembersRequest) (*pdpb.GetMembersResponse, error) {
	only := &pdpb.Member{Name: "pd", MemberId: 1, ClientUrls: []string{p.url}, BinaryVersion: "v" + p.version}
	return &pdpb.GetMembersResponse{Header: p.ok(), Members: []*pdpb.Member{only}, Leader: only, EtcdLeader: only}, nil
}

func (p *placement) Tso(stream pdpb.PD_TsoServer) error {
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = p.check(req.Header)
		}
		if err == nil && req.Count == 0 {
			err = status.Error(codes.Unknown, "tso count should be positive")
		}
		if err != nil {
			return err
		}
		last, err := p.draw(stream.Context(), req.Count)
		if err != nil {
			return err
		}
		if err := stream.Send(&pdpb.TsoResponse{Header: p.ok(), Count: req.Count, Timestamp: last}); err != nil {
			return err
		}
	}
}

// draw takes count timestamps in a row. Others draw from the same oracle: a run that was broken starts over.
func (p *placement) draw(ctx context.Context, count uint32) (*pdpb.Timestamp, error) {
	last, run := &pdpb.Timestamp{Logical: -2}, uint32(0)
	for run < count {
		physical, logical, err := p.oracle.GetTS(ctx)
		if err != nil {
			return nil, err
		}
		if physical != last.Physical || logical != last.Logical+1 {
			run = 0
		}
		last, run = &pdpb.Timestamp{Physical: physical, Logical: logical}, run+1
	}
	return last, nil
}

func (p *placement) all() []*pdpb.Region {
	p.core.mu.Lock()
	defer p.core.mu.Unlock()
	var out []*pdpb.Region
	for _, r := range p.core.regions() {
		// The engine changes epochs in place: what leaves the lock is a copy.
		epoch, meta := *r.RegionEpoch, *r
		meta.RegionEpoch = &epoch
		out = append(out, &pdpb.Region{Region: &meta, Leader: meta.Peers[0]})
	}
	return out
}

// within lists regions that meet [start, end) in region keys, at most limit above zero.
func (p *placement) within(start, end []byte, limit int) (out []*pdpb.Region) {
	for _, r := range p.all() {
		below := len(r.Region.EndKey) > 0 && string(r.Region.EndKey) <= string(start)
		above := len(end) > 0 && string(r.Region.StartKey) >= string(end)
		if !below && !above && (limit <= 0 || len(out) < limit) {
			out = append(out, r)
		}
	}
	return out
}

func (p *placement) one(r []*pdpb.Region) *pdpb.GetRegionResponse {
	if len(r) == 0 {
		return &pdpb.GetRegionResponse{Header: p.ok()}
	}
	return &pdpb.GetRegionResponse{Header: p.ok(), Region: r[0].Region, Leader: r[0].Leader}
}

func (p *placement) GetRegion(_ context.Context, req *pdpb.GetRegionRequest) (*pdpb.GetRegionResponse, error) {
	return p.one(p.within(req.RegionKey, nil, 1)), p.check(req.Header)
}

func (p *placement) GetRegionByID(_ context.Context, req *pdpb.GetRegionByIDRequest) (*pdpb.GetRegionResponse, error) {
	var found []*pdpb.Region
	for _, r := range p.all() {
		if r.Region.Id == req.RegionId {
			found = append(found, r)
		}
	}
	return p.one(found), p.check(req.Header)
}

func (p *placement) ScanRegions(_ context.Context, req *pdpb.ScanRegionsRequest) (*pdpb.ScanRegionsResponse, error) {
	out := &pdpb.ScanRegionsResponse{Header: p.ok(), Regions: p.within(req.StartKey, req.EndKey, int(req.Limit))}
	for _, r := range out.Regions {
		out.RegionMetas, out.Leaders = append(out.RegionMetas, r.Region), append(out.Leaders, r.Leader)
	}
	return out, p.check(req.Header)
}

func (p *placement) BatchScanRegions(_ context.Context, req *pdpb.BatchScanRegionsRequest) (*pdpb.BatchScanRegionsResponse, error) {
	out := &pdpb.BatchScanRegionsResponse{Header: p.ok()}
	for _, r := range req.Ranges {
		for _, found := range p.within(r.StartKey, r.EndKey, 0) {
			// Neighbouring ranges may share a region.
			if n := len(out.Regions); n == 0 || out.Regions[n-1].Region.Id != found.Region.Id {
				out.Regions = append(out.Regions, found)
			}
		}
	}
	if limit := int(req.Limit); limit > 0 && len(out.Regions) > limit {
		out.Regions = out.Regions[:limit]
	}
	return out, p.check(req.Header)
}

func (p *placement) theStore() *metapb.Store {
	id := p.core.cluster.GetAllStores()[0].Id
	return &metapb.Store{Id: id, Address: p.store, Version: p.version, NodeState: metapb.NodeState_Serving}
}

func (p *placement) GetStore(_ context.Context, req *pdpb.GetStoreRequest) (*pdpb.GetStoreResponse, error) {
	only := p.theStore()
	if req.StoreId != only.Id {
		return &pdpb.GetStoreResponse{Header: p.no("invalid store ID %d, not found", req.StoreId)}, p.check(req.Header)
	}
	return &pdpb.GetStoreResponse{Header: p.ok(), Store: only}, p.check(req.Header)
}

func (p *placement) GetAllStores(_ context.Context, req *pdpb.GetAllStoresRequest) (*pdpb.GetAllStoresResponse, error) {
	return &pdpb.GetAllStoresResponse{Header: p.ok(), Stores: []*metapb.Store{p.theStore()}}, p.check(req.Header)
}

func (p *placement) GetGCSafePoint(_ context.Context, req *pdpb.GetGCSafePointRequest) (*pdpb.GetGCSafePointResponse, error) {
	return &pdpb.GetGCSafePointResponse{Header: p.ok()}, p.check(req.Header)
}

// UpdateServiceGCSafePoint is the bookkeeping of PD 8.5; nothing is ever collected here.
func (p *placement) UpdateServiceGCSafePoint(_ context.Context, req *pdpb.UpdateServiceGCSafePointRequest) (*pdpb.UpdateServiceGCSafePointResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	_, least := p.least(now)
	if id := string(req.ServiceId); req.TTL <= 0 && id != gcWorker {
		delete(p.holds, id)
	} else if req.TTL > 0 && req.SafePoint >= least.ts {
		p.holds[id] = hold{req.SafePoint, now.Add(time.Duration(min(req.TTL, 1<<30)) * time.Second)}
	}
	id, least := p.least(now)
	ttl := int64(math.MaxInt64)
	if id != gcWorker {
		ttl = int64(least.until.Sub(now).Seconds())
	}
	answer := &pdpb.UpdateServiceGCSafePointResponse{Header: p.ok(), ServiceId: []byte(id), TTL: ttl, MinSafePoint: least.ts}
	return answer, p.check(req.Header)
}

// least is the hold that counts. The cluster's own is always among them: PD gives it 0 before its worker has run.
func (p *placement) least(now time.Time) (id string, least hold) {
	id, least = gcWorker, p.holds[gcWorker]
	for name, h := range p.holds {
		if name != gcWorker && h.until.Before(now) {
			delete(p.holds, name)
		} else if h.ts < least.ts {
			id, least = name, h
		}
	}
	return id, least
}
