//! What people get wrong: each is refused at once, with a code, and says what was wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use tg_testkit::{Ended, Rig, free_port};

/// The command fails with a code and its output has all of `says`.
fn check(what: &str, ended: &Ended, says: &[&str]) {
    assert!(ended.code.is_some_and(|c| c != 0), "{what}: {ended:?}");
    let code = ended.err.find("TG-").map(|at| ended.err[at..].chars().take(7).collect::<String>());
    let code = code.unwrap_or_else(|| panic!("{what}: no code in {ended:?}"));
    for part in says {
        assert!(ended.err.contains(part), "{what}: `{part}` is not in {}", ended.err);
    }
    println!("{what}: {code}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_changefeeds_are_refused() {
    let rig = Rig::start().unwrap();
    let sink = rig.sink_uri();
    let create = |args: &[&str]| {
        let all = [&["changefeed", "create", "--no-confirm", "-c", "bad"], args].concat();
        rig.tidegate.command(&all).unwrap()
    };
    let dead = format!("mysql://root@127.0.0.1:{}/", free_port().unwrap());
    check("a sink nobody listens at", &create(&["--sink-uri", &dead]), &["127.0.0.1"]);
    check("an unknown scheme", &create(&["--sink-uri", "mysq://root@127.0.0.1:1/"]), &["mysq"]);
    check("no sink at all", &create(&["--sink-uri", ""]), &[]);
    check("a wrong user", &create(&["--sink-uri", &sink.replace("root@", "nobody:secret-word@")]), &["nobody"]);
    check("a bad sink parameter", &create(&["--sink-uri", &format!("{sink}?worker-count=many")]), &["worker-count"]);
    let future = (u64::MAX >> 2).to_string();
    check("a start in the future", &create(&["--sink-uri", &sink, "--start-ts", &future]), &[&future]);
    check("a target below the start", &create(&["--sink-uri", &sink, "--target-ts", "5"]), &["5"]);
    for (what, toml, says) in [
        ("an unknown key", "[filter]\nruls = ['a.*']\n", "ruls"),
        ("a bad filter rule", "[filter]\nrules = ['a.b.c.[']\n", "a.b.c.["),
        ("a value of the wrong kind", "force-replicate = 'maybe'\n", "force-replicate"),
        ("no TOML", "[filter\n", ":1:8"),
    ] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(toml.as_bytes()).unwrap();
        let path = file.path().display().to_string();
        check(what, &create(&["--sink-uri", &sink, "--config", &path]), &[says]);
    }
    for args in [["changefeed", "query", "-c", "nobody"], ["changefeed", "pause", "-c", "nobody"]] {
        check(args[1], &rig.tidegate.command(&args).unwrap(), &["nobody"]);
    }
    let list = rig.tidegate.command(&["changefeed", "list", "--json", "--all"]).unwrap();
    assert_eq!(list.out.trim(), "[]", "nothing of all that exists: {list:?}");
    let shown = format!("{:?}", create(&["--sink-uri", &sink.replace("root@", "nobody:secret-word@")]));
    assert!(!shown.contains("secret-word"), "the password is not shown: {shown}");
}

#[test]
fn servers_that_are_not_there() {
    let nobody = format!("http://127.0.0.1:{}", free_port().unwrap());
    check("no server", &Ended::of(&["--server", &nobody, "changefeed", "list"]).unwrap(), &["127.0.0.1"]);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let addr = format!("127.0.0.1:{}", free_port().unwrap());
    let server = Ended::of(&["server", "--addr", &addr, "--pd", &nobody, "--data-dir", &data]).unwrap();
    check("no PD", &server, &["127.0.0.1"]);
}
