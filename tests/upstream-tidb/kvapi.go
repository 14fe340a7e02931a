package main

import (
	"context"
	"math"
	"time"

	"github.com/pingcap/kvproto/pkg/kvrpcpb"
	"github.com/pingcap/kvproto/pkg/tikvpb"
	"github.com/tikv/client-go/v2/tikvrpc"
)

const engineTimeout = time.Minute

// storage serves the reads of TiKV and the resolution of locks by passing requests on to the engine.
type storage struct {
	tikvpb.UnimplementedTikvServer
	tap  *tap
	addr string
}

func pass[A any](ctx context.Context, s *storage, t tikvrpc.CmdType, at *kvrpcpb.Context, body any) (*A, error) {
	req := tikvrpc.NewRequest(t, body)
	if at != nil {
		req.Context = *at
	}
	resp, err := s.tap.SendRequest(ctx, s.addr, req, engineTimeout)
	if err != nil {
		return nil, err
	}
	return resp.Resp.(*A), nil
}

func (s *storage) within(at *kvrpcpb.Context, r keyRange) keyRange {
	c := s.tap.core
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.common(c.rangeOf(at.GetRegionId()))
}

func (s *storage) KvGet(ctx context.Context, r *kvrpcpb.GetRequest) (*kvrpcpb.GetResponse, error) {
	answer, err := pass[kvrpcpb.GetResponse](ctx, s, tikvrpc.CmdGet, r.Context, r)
	if err == nil && answer.RegionError == nil && answer.Error == nil {
		answer.NotFound = len(answer.Value) == 0
	}
	return answer, err
}

func (s *storage) KvBatchGet(ctx context.Context, r *kvrpcpb.BatchGetRequest) (*kvrpcpb.BatchGetResponse, error) {
	return pass[kvrpcpb.BatchGetResponse](ctx, s, tikvrpc.CmdBatchGet, r.Context, r)
}

// KvScan stays within the region, as TiKV does and the engine does not.
func (s *storage) KvScan(ctx context.Context, r *kvrpcpb.ScanRequest) (*kvrpcpb.ScanResponse, error) {
	keys := s.within(r.Context, keyRange{r.StartKey, r.EndKey})
	r.StartKey, r.EndKey = keys.start, keys.end
	return pass[kvrpcpb.ScanResponse](ctx, s, tikvrpc.CmdScan, r.Context, r)
}

// KvScanLock has range, limit and the inclusive bound that the engine lacks.
func (s *storage) KvScanLock(ctx context.Context, r *kvrpcpb.ScanLockRequest) (*kvrpcpb.ScanLockResponse, error) {
	wide := &kvrpcpb.ScanLockRequest{Context: r.Context, MaxVersion: r.MaxVersion, Limit: math.MaxInt32}
	if wide.MaxVersion != math.MaxUint64 {
		wide.MaxVersion++
	}
	answer, err := pass[kvrpcpb.ScanLockResponse](ctx, s, tikvrpc.CmdScanLock, r.Context, wide)
	if err != nil {
		return nil, err
	}
	asked := keyRange{r.StartKey, r.EndKey}
	var kept []*kvrpcpb.LockInfo
	for _, l := range answer.Locks {
		if asked.has(l.Key) && (r.Limit == 0 || len(kept) < int(r.Limit)) {
			kept = append(kept, l)
		}
	}
	answer.Locks = kept
	return answer, nil
}

func (s *storage) KvCheckTxnStatus(ctx context.Context, r *kvrpcpb.CheckTxnStatusRequest) (*kvrpcpb.CheckTxnStatusResponse, error) {
	return pass[kvrpcpb.CheckTxnStatusResponse](ctx, s, tikvrpc.CmdCheckTxnStatus, r.Context, r)
}

func (s *storage) KvCheckSecondaryLocks(ctx context.Context, r *kvrpcpb.CheckSecondaryLocksRequest) (*kvrpcpb.CheckSecondaryLocksResponse, error) {
	return pass[kvrpcpb.CheckSecondaryLocksResponse](ctx, s, tikvrpc.CmdCheckSecondaryLocks, r.Context, r)
}

func (s *storage) KvResolveLock(ctx context.Context, r *kvrpcpb.ResolveLockRequest) (*kvrpcpb.ResolveLockResponse, error) {
	return pass[kvrpcpb.ResolveLockResponse](ctx, s, tikvrpc.CmdResolveLock, r.Context, r)
}

// KvPrewrite, KvCommit and KvBatchRollback let a test leave locks behind.
func (s *storage) KvPrewrite(ctx context.Context, r *kvrpcpb.PrewriteRequest) (*kvrpcpb.PrewriteResponse, error) {
	return pass[kvrpcpb.PrewriteResponse](ctx, s, tikvrpc.CmdPrewrite, r.Context, r)
}

func (s *storage) KvCommit(ctx context.Context, r *kvrpcpb.CommitRequest) (*kvrpcpb.CommitResponse, error) {
	return pass[kvrpcpb.CommitResponse](ctx, s, tikvrpc.CmdCommit, r.Context, r)
}

func (s *storage) KvBatchRollback(ctx context.Context, r *kvrpcpb.BatchRollbackRequest) (*kvrpcpb.BatchRollbackResponse, error) {
	return pass[kvrpcpb.BatchRollbackResponse](ctx, s, tikvrpc.CmdBatchRollback, r.Context, r)
}
