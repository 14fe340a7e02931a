package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pingcap/kvproto/pkg/cdcpb"
	"github.com/pingcap/kvproto/pkg/errorpb"
	"github.com/pingcap/kvproto/pkg/metapb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Sizes at which TiKV cuts: rows of one scan event, rows of one live event, events of one message.
const (
	scanEventBytes  = 32 << 10
	liveEventBytes  = 1 << 20
	messageBytesMax = 6 << 20
	messageEvents   = 64
)

// watchKey names a subscription within its stream.
type watchKey struct{ request, region uint64 }

// watch is one subscribed region. It is scanned and attached in one step, so it is always initialized.
type watch struct {
	watchKey
	epoch    uint64
	keys     keyRange
	skipLoop bool
	resolved uint64
}

// wants applies the range and TiKV's filters: rows of lossy reorganisations and imports never, rows of a CDC on request.
func (w *watch) wants(row *cdcpb.Event_Row) bool {
	byCDC, special := row.TxnSource&0xff, row.TxnSource>>8
	return special == 0 && (byCDC == 0 || !w.skipLoop) && w.keys.has(row.Key)
}

// feed is one stream. watches belong to core.mu, the queue to mu.
type feed struct {
	multiplexed bool
	watches     map[watchKey]*watch

	mu    sync.Mutex
	wake  chan struct{}
	queue []*cdcpb.ChangeDataEvent
}

type changeData struct {
	core      *core
	clusterID uint64
}

type feedStream interface {
	Context() context.Context
	Send(*cdcpb.ChangeDataEvent) error
	Recv() (*cdcpb.ChangeDataRequest, error)
}

func (s *changeData) EventFeed(stream cdcpb.ChangeData_EventFeedServer) error {
	return s.serve(stream, false)
}

func (s *changeData) EventFeedV2(stream cdcpb.ChangeData_EventFeedV2Server) error {
	meta, _ := metadata.FromIncomingContext(stream.Context())
	wanted := strings.Split(strings.Join(meta.Get("features"), ","), ",")
	known := func(f string) bool { return f == "stream-multiplexing" }
	if odd := slices.IndexFunc(wanted, func(f string) bool { return !known(f) && (f != "" || len(wanted) > 1) }); odd >= 0 {
		return status.Error(codes.Unimplemented, wanted[odd])
	}
	return s.serve(stream, slices.ContainsFunc(wanted, known))
}

func (s *changeData) serve(stream feedStream, multiplexed bool) error {
	f := &feed{multiplexed: multiplexed, watches: map[watchKey]*watch{}, wake: make(chan struct{}, 1)}
	s.core.mu.Lock()
	s.core.feeds[f] = struct{}{}
	s.core.mu.Unlock()
	defer func() {
		s.core.mu.Lock()
		delete(s.core.feeds, f)
		s.core.mu.Unlock()
	}()
	ended := make(chan error, 1)
	go func() {
		for {
			req, err := stream.Recv()
			if err != nil {
				ended <- err
				return
			}
			s.request(f, req)
		}
	}()
	for {
		select {
		case err := <-ended:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case <-f.wake:
			for _, message := range f.take() {
				if err := stream.Send(message); err != nil {
					return err
				}
			}
		}
	}
}

func (s *changeData) request(f *feed, req *cdcpb.ChangeDataRequest) {
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	if _, leave := req.Request.(*cdcpb.ChangeDataRequest_Deregister_); leave {
		for key := range f.watches {
			if key.request == req.RequestId && (req.RegionId == 0 || req.RegionId == key.region) {
				f.end(key, &cdcpb.Error{RegionNotFound: &errorpb.RegionNotFound{RegionId: key.region}})
			}
		}
		return
	}
	if refused := s.register(f, req); refused != nil {
		f.tell(watchKey{req.RequestId, req.RegionId}, refused)
	}
}

// register checks in TiKV's order, then scans and attaches.
func (s *changeData) register(f *feed, req *cdcpb.ChangeDataRequest) *cdcpb.Error {
	if id := req.Header.GetClusterId(); id != s.clusterID {
		return &cdcpb.Error{ClusterIdMismatch: &cdcpb.ClusterIDMismatch{Current: s.clusterID, Request: id}}
	}
	region := s.core.regionByID(req.RegionId)
	if region == nil {
		return &cdcpb.Error{RegionNotFound: &errorpb.RegionNotFound{RegionId: req.RegionId}}
	}
	key := watchKey{req.RequestId, req.RegionId}
	if f.watches[key] != nil {
		return &cdcpb.Error{DuplicateRequest: &cdcpb.DuplicateRequest{RegionId: req.RegionId}}
	}
	if epoch := region.RegionEpoch.Version; epoch != req.RegionEpoch.GetVersion() {
		return &cdcpb.Error{EpochNotMatch: &errorpb.EpochNotMatch{CurrentRegions: []*metapb.Region{region}}}
	}
	w := &watch{
		watchKey: key, epoch: region.RegionEpoch.Version, skipLoop: req.FilterLoop,
		keys: decodeRange(region.StartKey, region.EndKey).common(decodeRange(req.StartKey, req.EndKey)),
	}
	f.watches[key] = w
	var found []*cdcpb.Event_Row
	s.core.journal.scan(w.keys, req.CheckpointTs, func(row *cdcpb.Event_Row) {
		if w.wants(row) {
			found = append(found, row)
		}
	})
	f.rows(key, append(found, &cdcpb.Event_Row{Type: cdcpb.Event_INITIALIZED}), scanEventBytes)
	return nil
}

// publish hands rows to every watch that wants them. core.mu is held.
func (c *core) publish(list []*cdcpb.Event_Row) {
	for f := range c.feeds {
		for key, w := range f.watches {
			mine := make([]*cdcpb.Event_Row, 0, len(list))
			for _, row := range list {
				if w.wants(row) {
					mine = append(mine, row)
				}
			}
			f.rows(key, mine, liveEventBytes)
		}
	}
}

// endChanged ends the watches whose region is another than at registration. core.mu is held.
func (c *core) endChanged() {
	all := c.regions()
	for f := range c.feeds {
		for key, w := range f.watches {
			at := slices.IndexFunc(all, func(r *metapb.Region) bool { return r.Id == key.region })
			if at < 0 {
				f.end(key, &cdcpb.Error{RegionNotFound: &errorpb.RegionNotFound{RegionId: key.region}})
			} else if all[at].RegionEpoch.Version != w.epoch {
				var now []*metapb.Region
				for _, r := range all {
					if w.keys.meets(decodeRange(r.StartKey, r.EndKey)) {
						now = append(now, r)
					}
				}
				f.end(key, &cdcpb.Error{EpochNotMatch: &errorpb.EpochNotMatch{CurrentRegions: now}})
			}
		}
	}
}

// resolveLoop tells every interval how far each region is resolved. No write is under way while it looks: one
// without a lock yet will commit above the timestamp taken here, one with a lock above its start-ts.
func (c *core) resolveLoop(ctx context.Context, every time.Duration) {
	for tick := time.NewTicker(every); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		c.mu.Lock()
		now := c.now()
		c.endChanged()
		for f := range c.feeds {
			for request, watches := range f.byRequest() {
				for _, w := range watches {
					w.resolved = max(w.resolved, min(now, c.journal.oldestLock(w.keys)))
				}
				f.resolved(request, watches)
			}
		}
		c.mu.Unlock()
	}
}

func (f *feed) byRequest() map[uint64][]*watch {
	groups := map[uint64][]*watch{}
	for key, w := range f.watches {
		if !f.multiplexed {
			key.request = 0
		}
		groups[key.request] = append(groups[key.request], w)
	}
	return groups
}

// resolved sends messages of 8, 32, 128, ... regions, the slowest first, each with its least timestamp.
func (f *feed) resolved(request uint64, watches []*watch) {
	slices.SortFunc(watches, func(a, b *watch) int {
		if a.resolved != b.resolved {
			return map[bool]int{true: -1, false: 1}[a.resolved < b.resolved]
		}
		return int(int64(a.region) - int64(b.region))
	})
	for size := 8; len(watches) > 0; size *= 4 {
		group := watches[:min(size, len(watches))]
		watches = watches[len(group):]
		message := &cdcpb.ResolvedTs{RequestId: request, Ts: group[0].resolved}
		for _, w := range group {
			message.Regions = append(message.Regions, w.region)
		}
		f.push(&cdcpb.ChangeDataEvent{ResolvedTs: message})
	}
}

// rows queues rows in events of about limit bytes.
func (f *feed) rows(key watchKey, list []*cdcpb.Event_Row, limit int) {
	for len(list) > 0 {
		n, size := 0, 0
		for ; n < len(list) && size < limit; n++ {
			size += list[n].Size()
		}
		entries := &cdcpb.Event_Entries_{Entries: &cdcpb.Event_Entries{Entries: list[:n:n]}}
		f.push(&cdcpb.ChangeDataEvent{Events: []*cdcpb.Event{{RegionId: key.region, RequestId: key.request, Event: entries}}})
		list = list[n:]
	}
}

func (f *feed) end(key watchKey, why *cdcpb.Error) {
	delete(f.watches, key)
	f.tell(key, why)
}

func (f *feed) tell(key watchKey, why *cdcpb.Error) {
	event := &cdcpb.Event{RegionId: key.region, RequestId: key.request, Event: &cdcpb.Event_Error{Error: why}}
	f.push(&cdcpb.ChangeDataEvent{Events: []*cdcpb.Event{event}})
}

func (f *feed) push(message *cdcpb.ChangeDataEvent) {
	f.mu.Lock()
	f.queue = append(f.queue, message)
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// take empties the queue and joins neighbouring events into messages as TiKV does.
func (f *feed) take() (messages []*cdcpb.ChangeDataEvent) {
	f.mu.Lock()
	queue := f.queue
	f.queue = nil
	f.mu.Unlock()
	size := 0
	for _, message := range queue {
		add := message.Size()
		if last := len(messages) - 1; last >= 0 && message.ResolvedTs == nil && messages[last].ResolvedTs == nil &&
			len(messages[last].Events) < messageEvents && size+add <= messageBytesMax {
			messages[last].Events = append(messages[last].Events, message.Events...)
			size += add
			continue
		}
		messages = append(messages, message)
		size = add
	}
	return messages
}
