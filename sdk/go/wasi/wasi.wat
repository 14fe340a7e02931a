;; What Go's runtime asks of WASI preview 1, answered without a host: components made with it import no WASI at all.
;;
;; - The clock counts its own reads, and sleeping moves it on. A collection may so end at any moment: the runtime reads the clock
;;   then, also inside cabi_realloc, where calling the host is forbidden.
;; - Randomness is one fixed sequence, for the runtime's own hash seeds while it starts. Later requests fail: crypto/rand must not
;;   hand out what can be foreseen.
;; - What the runtime writes to standard error as it dies goes to the host's log. Files, arguments and environment: none.
(module
  (import "env" "memory" (memory 0))
  (import "tidegate:plugin/log@1.0.0" "log" (func $log (param i32 i32 i32 i32 i32)))

  (global $now (mut i64) (i64.const 1))
  (global $seed (mut i64) (i64.const 0x9e3779b97f4a7c15))
  (global $started (mut i32) (i32.const 0))

  (func (export "clock_time_get") (param $id i32) (param $precision i64) (param $out i32) (result i32)
    (global.set $now (i64.add (global.get $now) (i64.const 1)))
    (i64.store (local.get $out) (global.get $now))
    (i32.const 0))

  (func (export "clock_res_get") (param $id i32) (param $out i32) (result i32)
    (i64.store (local.get $out) (i64.const 1))
    (i32.const 0))

  (func (export "random_get") (param $out i32) (param $len i32) (result i32)
    (local $end i32)
    (if (global.get $started) (then (return (i32.const 52))))
    (global.set $started (i32.const 1))
    (local.set $end (i32.add (local.get $out) (local.get $len)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $out) (local.get $end)))
        (global.set $seed
          (i64.add (i64.mul (global.get $seed) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))
        (i32.store8 (local.get $out) (i32.wrap_i64 (i64.shr_u (global.get $seed) (i64.const 56))))
        (local.set $out (i32.add (local.get $out) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  (func (export "fd_write") (param $fd i32) (param $iov i32) (param $n i32) (param $written i32) (result i32)
    (local $total i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (if (i32.load offset=4 (local.get $iov))
          (then
            (call $log (i32.const 4) (i32.load (local.get $iov)) (i32.load offset=4 (local.get $iov)) (i32.const 0) (i32.const 0))))
        (local.set $total (i32.add (local.get $total) (i32.load offset=4 (local.get $iov))))
        (local.set $iov (i32.add (local.get $iov) (i32.const 8)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $total))
    (i32.const 0))

  ;; Every subscription is answered at once. A clock's moment has come, since the clock is moved there; a file does not exist (8).
  (func (export "poll_oneoff") (param $in i32) (param $out i32) (param $n i32) (param $events i32) (result i32)
    (i32.store (local.get $events) (local.get $n))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (i64.store (local.get $out) (i64.load (local.get $in)))
        (i64.store offset=8 (local.get $out) (i64.const 0))
        (i64.store offset=16 (local.get $out) (i64.const 0))
        (i64.store offset=24 (local.get $out) (i64.const 0))
        (i32.store8 offset=10 (local.get $out) (i32.load8_u offset=8 (local.get $in)))
        (if (i32.load8_u offset=8 (local.get $in))
          (then (i32.store16 offset=8 (local.get $out) (i32.const 8)))
          (else (call $sleep (i64.load offset=24 (local.get $in)) (i32.load16_u offset=40 (local.get $in)))))
        (local.set $in (i32.add (local.get $in) (i32.const 48)))
        (local.set $out (i32.add (local.get $out) (i32.const 32)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  (func $sleep (param $time i64) (param $absolute i32)
    (if (i32.eqz (local.get $absolute))
      (then (local.set $time (i64.add (global.get $now) (local.get $time)))))
    (if (i64.gt_u (local.get $time) (global.get $now))
      (then (global.set $now (local.get $time)))))

  (func (export "sched_yield") (result i32) (i32.const 0))
  (func (export "proc_exit") (param i32) unreachable)
  (func (export "proc_raise") (param i32) (result i32) unreachable)

  ;; No arguments and no environment.
  (func $none (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))
  (export "args_sizes_get" (func $none))
  (export "environ_sizes_get" (func $none))
  (func $nothing (param i32 i32) (result i32) (i32.const 0))
  (export "args_get" (func $nothing))
  (export "environ_get" (func $nothing))

  ;; No files: 8 is "bad file descriptor", which also ends the runtime's search for directories.
  (func $no_fd (param i32) (result i32) (i32.const 8))
  (export "fd_close" (func $no_fd))
  (export "fd_sync" (func $no_fd))
  (export "fd_datasync" (func $no_fd))
  (func $no_fd2 (param i32 i32) (result i32) (i32.const 8))
  (export "fd_fdstat_get" (func $no_fd2))
  (export "fd_fdstat_set_flags" (func $no_fd2))
  (export "fd_filestat_get" (func $no_fd2))
  (export "fd_prestat_get" (func $no_fd2))
  (export "fd_renumber" (func $no_fd2))
  (export "fd_tell" (func $no_fd2))
  (export "sock_shutdown" (func $no_fd2))
  (func $no_fd3 (param i32 i32 i32) (result i32) (i32.const 8))
  (export "fd_prestat_dir_name" (func $no_fd3))
  (export "path_create_directory" (func $no_fd3))
  (export "path_remove_directory" (func $no_fd3))
  (export "path_unlink_file" (func $no_fd3))
  (export "sock_accept" (func $no_fd3))
  (func $no_fd4 (param i32 i32 i32 i32) (result i32) (i32.const 8))
  (export "fd_read" (func $no_fd4))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func $no_fd_at (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (export "fd_pread" (func $no_fd_at))
  (export "fd_pwrite" (func $no_fd_at))
  (func $no_path5 (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (export "path_filestat_get" (func $no_path5))
  (export "path_symlink" (func $no_path5))
  (export "sock_send" (func $no_path5))
  (func $no_path6 (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (export "path_readlink" (func $no_path6))
  (export "path_rename" (func $no_path6))
  (export "sock_recv" (func $no_path6))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 8))
)
