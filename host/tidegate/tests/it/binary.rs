//! The binary from outside: what needs no server.

use std::process::{Command, Stdio};

fn tidegate(args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    let output = command.args(args).stdin(Stdio::null()).env_remove("TIDEGATE_SERVER").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn answers_go_to_stdout_and_errors_to_stderr() {
    for (args, code, out, err) in [
        (&["version"][..], 0, "tidegate ", ""),
        (&["explain", "TG-6101"], 0, "TG-6101: There is no such changefeed\n", ""),
        (&["explain", "nonsense"], 1, "", "error[TG-8005]: there is no error code `nonsense`"),
        (&["changefeed", "list", "--server=127.0.0.1:1"], 1, "", "error[TG-8001]: cannot reach a server at"),
        (&["changfeed"], 2, "", "error[TG-8008]: unrecognized subcommand 'changfeed'"),
    ] {
        let (status, stdout, stderr) = tidegate(args);
        assert_eq!(status, Some(code), "{args:?} {stderr}");
        assert!(stdout.starts_with(out) && (out.is_empty() == stdout.is_empty()), "{args:?} {stdout}");
        assert!(stderr.starts_with(err) && (err.is_empty() == stderr.is_empty()), "{args:?} {stderr}");
        assert!(!stderr.contains('\x1b'), "no colour into a pipe");
    }
}
