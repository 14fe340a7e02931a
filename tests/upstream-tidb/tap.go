package main

import (
	"context"
	"sync"
	"time"

	"github.com/pingcap/kvproto/pkg/cdcpb"
	"github.com/pingcap/kvproto/pkg/kvrpcpb"
	"github.com/pingcap/kvproto/pkg/metapb"
	"github.com/pingcap/tidb/pkg/store/mockstore/unistore"
	"github.com/tikv/client-go/v2/tikv"
	"github.com/tikv/client-go/v2/tikvrpc"
	"github.com/tikv/client-go/v2/util/async"
)

// core is what the feed and the services share. mu is held from before a writing request enters the
// engine until its rows are in the queues of the feeds: so rows go out in the order in which they took effect.
type core struct {
	mu      sync.Mutex
	journal *journal
	cluster *unistore.Cluster
	now     func() uint64
	feeds   map[*feed]struct{}
}

// tap stands between TiDB (and our own TiKV service) and the engine.
type tap struct {
	tikv.Client
	core *core
}

func isWrite(t tikvrpc.CmdType) bool {
	switch t {
	case tikvrpc.CmdPrewrite, tikvrpc.CmdCommit, tikvrpc.CmdBatchRollback, tikvrpc.CmdFlush, tikvrpc.CmdCleanup,
		tikvrpc.CmdResolveLock, tikvrpc.CmdCheckTxnStatus, tikvrpc.CmdCheckSecondaryLocks, tikvrpc.CmdSplitRegion:
		return true
	}
	return false
}

func (t *tap) SendRequest(ctx context.Context, addr string, req *tikvrpc.Request, limit time.Duration) (*tikvrpc.Response, error) {
	if !isWrite(req.Type) || req.StoreTp == tikvrpc.TiDB {
		return t.Client.SendRequest(ctx, addr, req, limit)
	}
	t.core.mu.Lock()
	defer t.core.mu.Unlock()
	var old []*metapb.Region
	if req.Type == tikvrpc.CmdSplitRegion {
		old = t.core.regions()
	}
	resp, err := t.Client.SendRequest(ctx, addr, req, limit)
	if err != nil || resp.Resp == nil {
		return resp, err
	}
	if split, ok := resp.Resp.(*kvrpcpb.SplitRegionResponse); ok {
		t.core.splitDone(old, split)
		return resp, nil
	}
	if refused, e := resp.GetRegionError(); e == nil && refused == nil {
		t.core.publish(t.core.record(req, resp))
	}
	return resp, nil
}

func (t *tap) SendRequestAsync(ctx context.Context, addr string, req *tikvrpc.Request, done async.Callback[*tikvrpc.Response]) {
	go func() { done.Schedule(t.SendRequest(ctx, addr, req, tikv.ReadTimeoutMedium)) }()
}

// record writes the effect of an accepted request into the journal and returns the rows of the feed.
func (c *core) record(req *tikvrpc.Request, resp *tikvrpc.Response) []*cdcpb.Event_Row {
	out := rows{core: c}
	switch answer := resp.Resp.(type) {
	case *kvrpcpb.PrewriteResponse:
		if r := req.Prewrite(); len(answer.Errors) == 0 {
			for _, m := range r.Mutations {
				if answer.OnePcCommitTs == 0 {
					out.add(c.journal.lock(m, r.StartVersion, req.TxnSource, 0))
				} else {
					out.add(c.journal.commitAtOnce(m, r.StartVersion, answer.OnePcCommitTs, req.TxnSource))
				}
			}
		}
	case *kvrpcpb.FlushResponse:
		if r := req.Flush(); len(answer.Errors) == 0 {
			for _, m := range r.Mutations {
				out.add(c.journal.lock(m, r.StartTs, req.TxnSource, r.Generation))
			}
		}
	case *kvrpcpb.CommitResponse:
		if r := req.Commit(); answer.Error == nil {
			out.end(r.StartVersion, r.CommitVersion, r.Keys)
		}
	case *kvrpcpb.BatchRollbackResponse:
		if r := req.BatchRollback(); answer.Error == nil {
			out.end(r.StartVersion, 0, r.Keys)
		}
	case *kvrpcpb.CleanupResponse:
		if r := req.Cleanup(); answer.Error == nil && answer.CommitVersion == 0 {
			out.end(r.StartVersion, 0, [][]byte{r.Key})
		}
	case *kvrpcpb.CheckTxnStatusResponse:
		r := req.CheckTxnStatus()
		if answer.Action == kvrpcpb.Action_TTLExpireRollback || answer.Action == kvrpcpb.Action_LockNotExistRollback {
			out.end(r.LockTs, 0, [][]byte{r.PrimaryKey})
		}
	case *kvrpcpb.ResolveLockResponse:
		if r := req.ResolveLock(); answer.Error == nil {
			out.resolved(r, c.rangeOf(req.RegionId))
		}
	}
	return out.list
}

// rows collects what a request brings into the feed.
type rows struct {
	core *core
	list []*cdcpb.Event_Row
}

func (o *rows) add(row *cdcpb.Event_Row) {
	if row != nil {
		o.list = append(o.list, row)
	}
}

// end commits (commitTS above zero) or rolls back keys of a transaction.
func (o *rows) end(startTS, commitTS uint64, keys [][]byte) {
	j := o.core.journal
	for _, key := range keys {
		if commitTS > 0 {
			o.add(j.commit(key, startTS, commitTS))
		} else {
			o.add(j.undo(key, startTS))
		}
	}
}

func (o *rows) resolved(r *kvrpcpb.ResolveLockRequest, region keyRange) {
	if len(r.TxnInfos) == 0 {
		keys := r.Keys
		if len(keys) == 0 {
			keys = o.core.journal.lockedBy(r.StartVersion, region)
		}
		o.end(r.StartVersion, r.CommitVersion, keys)
	}
	for _, txn := range r.TxnInfos {
		o.end(txn.Txn, txn.Status, o.core.journal.lockedBy(txn.Txn, region))
	}
}
