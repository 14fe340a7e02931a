package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/pingcap/tidb/pkg/config"
	"github.com/pingcap/tidb/pkg/ddl"
	ddlutil "github.com/pingcap/tidb/pkg/ddl/util"
	"github.com/pingcap/tidb/pkg/domain"
	"github.com/pingcap/tidb/pkg/executor"
	"github.com/pingcap/tidb/pkg/kv"
	"github.com/pingcap/tidb/pkg/parser/mysql"
	_ "github.com/pingcap/tidb/pkg/planner/core"
	"github.com/pingcap/tidb/pkg/resourcemanager"
	"github.com/pingcap/tidb/pkg/server"
	"github.com/pingcap/tidb/pkg/session"
	"github.com/pingcap/tidb/pkg/sessionctx/vardef"
	"github.com/pingcap/tidb/pkg/sessionctx/variable"
	"github.com/pingcap/tidb/pkg/store/mockstore"
	"github.com/pingcap/tidb/pkg/store/mockstore/unistore"
	"github.com/pingcap/tidb/pkg/util/logutil"
	"github.com/tikv/client-go/v2/oracle"
	"github.com/tikv/client-go/v2/testutils"
	"github.com/tikv/client-go/v2/tikv"
	pd "github.com/tikv/pd/client"
)

// engineVersion is what TiDB, PD and the store say they are.
const engineVersion = "8.5.4"

// engine is a whole TiDB with our tap in its storage client.
type engine struct {
	core    *core
	tap     *tap
	oracle  pd.Client
	storage kv.Storage
	domain  *domain.Domain
	sql     *server.Server
}

func startEngine(dir string, sqlPort int, logLevel string, asyncCommit bool) (*engine, error) {
	if err := configure(dir, sqlPort, logLevel); err != nil {
		return nil, err
	}
	e := &engine{core: &core{journal: newJournal(), feeds: map[*feed]struct{}{}}}
	var err error
	e.storage, err = mockstore.NewMockStore(
		mockstore.WithStoreType(mockstore.EmbedUnistore),
		mockstore.WithPath(dir),
		mockstore.WithClusterInspector(func(c testutils.Cluster) {
			mockstore.BootstrapWithSingleStore(c)
			e.core.cluster = c.(*unistore.Cluster)
		}),
		mockstore.WithClientHijacker(e.install),
		mockstore.WithPDClientHijacker(func(c pd.Client) pd.Client {
			e.oracle, e.core.now = c, func() uint64 { return oracle.ComposeTS(mustTS(c)) }
			return c
		}),
	)
	if err != nil {
		return nil, err
	}
	if err := ddl.StartOwnerManager(context.Background(), e.storage); err != nil {
		return nil, err
	}
	if e.domain, err = session.BootstrapSession(e.storage); err != nil {
		return nil, err
	}
	if err := e.prepare(asyncCommit); err != nil {
		return nil, err
	}
	if e.sql, err = server.NewServer(config.GetGlobalConfig(), server.NewTiDBDriver(e.storage)); err != nil {
		return nil, err
	}
	e.sql.SetDomain(e.domain)
	e.domain.InfoSyncer().SetSessionManager(e.sql)
	return e, nil
}

func mustTS(c pd.Client) (int64, int64) {
	physical, logical, err := c.GetTS(context.Background())
	check(err)
	return physical, logical
}

// install puts the tap under the key codec of the client, where requests look as they do on the wire.
func (e *engine) install(client tikv.Client) tikv.Client {
	if codec, ok := client.(*tikv.CodecClient); ok {
		e.tap = &tap{Client: codec.Client, core: e.core}
		codec.Client = e.tap
		return codec
	}
	e.tap = &tap{Client: client, core: e.core}
	return e.tap
}

func (e *engine) serveSQL() error { return e.sql.Run(e.domain) }

// configure sets what TiDB's own server would read from its configuration file.
func configure(dir string, sqlPort int, logLevel string) error {
	mysql.TiDBReleaseVersion = "v" + engineVersion
	mysql.ServerVersion = "8.0.11-TiDB-v" + engineVersion
	variable.SetSysVar(vardef.Version, mysql.ServerVersion)
	variable.SetSysVar(vardef.Port, strconv.Itoa(sqlPort))
	variable.SetSysVar(vardef.DataDir, dir)
	config.UpdateGlobal(func(c *config.Config) {
		c.Store, c.Path = config.StoreTypeUniStore, dir
		c.Host, c.AdvertiseAddress, c.Port, c.Socket = loopback, loopback, uint(sqlPort), ""
		c.Status.ReportStatus = false
		c.Log.Level = logLevel
		c.Log.EnableSlowLog.Store(false)
		c.Instance.EnableSlowLog.Store(false)
		c.TempDir, c.TempStoragePath = filepath.Join(dir, "tmp"), filepath.Join(dir, "tmp-storage")
		c.SplitTable = true
	})
	all := config.GetGlobalConfig()
	if err := os.MkdirAll(all.TempStoragePath, 0o750); err != nil {
		return err
	}
	if err := logutil.InitLogger(all.Log.ToLogConfig()); err != nil {
		return err
	}
	kv.StandAloneTiDB = true
	kv.TxnTotalSizeLimit.Store(config.SuperLargeTxnSize)
	kv.TxnEntrySizeLimit.Store(all.Performance.TxnEntrySizeLimit)
	atomic.StoreUint32(&ddl.EnableSplitTableRegion, 1) // a region per table, as in clusters
	ddlutil.EmulatorGCDisable()                        // TiKV sends no rows when dropped tables are collected
	executor.Start()
	resourcemanager.InstanceResourceManager.Start()
	return nil
}

// prepare writes the rows of mysql.tidb that a cluster's GC worker keeps (historical reads and FLASHBACK look at
// them) and sets the commit modes.
func (e *engine) prepare(asyncCommit bool) error {
	se, err := session.CreateSession(e.storage)
	if err != nil {
		return err
	}
	defer se.Close()
	yesterday := time.Now().AddDate(0, 0, -1).Format("20060102-15:04:05.000 -0700")
	statements := []string{
		`insert ignore into mysql.tidb values ('tikv_gc_safe_point', '` + yesterday + `', '')`,
		`insert ignore into mysql.tidb values ('tikv_gc_enable', 'true', ''), ('tikv_gc_life_time', '24h0m0s', ''), ('tikv_gc_run_interval', '10m0s', '')`,
		`set global tidb_enable_gogc_tuner = 0`,
	}
	if !asyncCommit {
		statements = append(statements, `set global tidb_enable_async_commit = 0`, `set global tidb_enable_1pc = 0`)
	}
	ctx := kv.WithInternalSourceType(context.Background(), kv.InternalTxnOthers)
	for _, text := range statements {
		result, err := se.ExecuteInternal(ctx, text)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		if result != nil {
			result.Close()
		}
	}
	return nil
}
