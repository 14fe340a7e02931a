// Command upstream-tidb runs the TiDB SQL engine on its embedded storage in one process, and serves beside
// MySQL what a change feed needs of PD and TiKV. It is the upstream of the system tests: keys, rows, meta data
// and DDL jobs are written by TiDB itself.
//
// It prints one line of JSON when it is ready: {"mysql":PORT,"pd":PORT,"tikv":PORT}. It binds to 127.0.0.1, keeps
// its data in a temporary directory, and stops on SIGTERM, SIGINT or the end of standard input.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pingcap/kvproto/pkg/cdcpb"
	"github.com/pingcap/kvproto/pkg/pdpb"
	"github.com/pingcap/kvproto/pkg/tikvpb"
	"google.golang.org/grpc"
)

const loopback = "127.0.0.1"

func main() {
	resolved := flag.Duration("resolved-interval", 100*time.Millisecond, "how often resolved timestamps are sent")
	clusterID := flag.Uint64("cluster-id", 7000000000000000001, "cluster id on the wire")
	asyncCommit := flag.Bool("async-commit", false, "leave async commit and one-phase commit on, as clusters have them")
	logLevel := flag.String("log-level", "error", "log level of TiDB")
	flag.Parse()

	// TiDB prints where it likes; the announcement must stand alone.
	out := os.NewFile(uintptr(must(syscall.Dup(1))), "out")
	check(syscall.Dup3(2, 1, 0))

	dir := must(os.MkdirTemp("", "tidb-unistore-temp")) // the engine is fast and forgetful under this name
	code := 0
	if err := run(dir, *resolved, *clusterID, *asyncCommit, *logLevel, out); err != nil {
		fmt.Fprintln(os.Stderr, "upstream-tidb:", err)
		code = 1
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

func run(dir string, every time.Duration, clusterID uint64, asyncCommit bool, logLevel string, out io.Writer) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop <- syscall.SIGTERM
	}()

	pdPort, kvPort := listen(), listen()
	sqlPort := freePort()
	e, err := startEngine(dir, sqlPort, logLevel, asyncCommit)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go e.core.resolveLoop(ctx, every)

	pdService := newServer()
	pdpb.RegisterPDServer(pdService, &placement{
		core: e.core, oracle: e.oracle, clusterID: clusterID, url: "http://" + pdPort.Addr().String(),
		store: kvPort.Addr().String(), version: engineVersion, holds: map[string]hold{},
	})
	kvService := newServer()
	tikvpb.RegisterTikvServer(kvService, &storage{tap: e.tap, addr: e.core.cluster.GetAllStores()[0].Address})
	cdcpb.RegisterChangeDataServer(kvService, &changeData{core: e.core, clusterID: clusterID})
	failed := make(chan error, 3)
	go func() { failed <- pdService.Serve(pdPort) }()
	go func() { failed <- kvService.Serve(kvPort) }()
	go func() { failed <- e.serveSQL() }()
	if err := awaitPort(sqlPort); err != nil {
		return err
	}
	ports := map[string]int{"mysql": sqlPort, "pd": port(pdPort), "tikv": port(kvPort)}
	if err := json.NewEncoder(out).Encode(ports); err != nil {
		return err
	}
	select {
	case <-stop:
	case err = <-failed:
	}
	// The data is of no use to anybody: there is nothing to close in order.
	kvService.Stop()
	pdService.Stop()
	return err
}

func newServer() *grpc.Server {
	return grpc.NewServer(grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32))
}

func listen() net.Listener { return must(net.Listen("tcp", loopback+":0")) }

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// freePort finds a port for TiDB, which opens its listener itself.
func freePort() int {
	l := listen()
	defer l.Close()
	return port(l)
}

func awaitPort(port int) error {
	address := fmt.Sprintf("%s:%d", loopback, port)
	var last error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
		last = err
	}
	return last
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "upstream-tidb:", err)
		os.Exit(1)
	}
}
