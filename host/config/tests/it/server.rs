//! Server files, flags, and which of them wins.

use tg_config::{
    ByteSize, ServerConfig,
    server::{ServerFile, ServerOverrides},
};
use tg_model::Coded;

fn resolve(toml: &str, over: &ServerOverrides) -> Result<ServerConfig, tg_config::ConfigError> {
    let file = tempfile();
    std::fs::write(&file, toml).unwrap();
    let resolved = ServerConfig::resolve(Some(&file), over);
    std::fs::remove_file(&file).unwrap();
    resolved.map(|(config, _)| config)
}

fn tempfile() -> std::path::PathBuf {
    static N: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let n = N.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    std::env::temp_dir().join(format!("tg-config-{}-{n}.toml", std::process::id()))
}

#[test]
fn flags_win_over_the_file() {
    let toml = "addr = '0.0.0.0:8300'\nadvertise-addr = 'cdc1:8300'\npd = 'http://a:1,https://b:2/'\nmemory-limit = '2GiB'\ndata-dir = '/d'\n[security]\nca-path = '/ca'";
    let over = ServerOverrides { pd: Some("http://c:3".to_owned()), gc_ttl_secs: Some(100), ..Default::default() };
    let config = resolve(toml, &over).unwrap();
    assert_eq!(config.pd, ["http://c:3"]);
    assert_eq!((config.advertise_addr.as_str(), config.gc_ttl_secs), ("cdc1:8300", 100));
    assert_eq!(config.memory_limit, Some(ByteSize::new(2 << 30)));
    assert_eq!((config.security.ca_path.as_str(), config.log_level.as_str()), ("/ca", "info"));
    let plain = ServerConfig::resolve(None, &ServerOverrides::default()).unwrap().0;
    assert_eq!((plain.addr.as_str(), plain.advertise_addr.as_str()), ("127.0.0.1:8300", "127.0.0.1:8300"));
}

#[test]
fn files_of_ticdc_load() {
    let toml = "newarch = true\ncapture-session-ttl = 10\nowner-flush-interval = '50ms'\n[log]\nerror-output = 'stderr'\n[log.file]\nmax-size = 300\n[sorter]\ncache-size-in-mb = 128\n[kv-client]\nregion-scan-limit = 40\n[debug.puller]\nmemory-quota = 1\n[security]\nmtls = false\nredact-info-log = false";
    let file = ServerFile::from_toml("s.toml", toml).unwrap();
    assert_eq!(file.newarch, Some(true));
}

#[test]
fn bad_servers_say_what() {
    let over = |f: fn(&mut ServerOverrides)| {
        let mut over = ServerOverrides::default();
        f(&mut over);
        over
    };
    for (toml, over, end) in [
        ("", over(|o| o.addr = Some("x".to_owned())), "server option `addr`: `x` is no address; write host:port"),
        (
            "addr = '0.0.0.0:1'",
            ServerOverrides::default(),
            "server option `advertise-addr`: nobody can connect to a wildcard address; give the address under which others reach this server",
        ),
        ("pd = 'a:1'", ServerOverrides::default(), "server option `pd`: `a:1` does not begin with http:// or https://"),
        (
            "",
            over(|o| o.cluster_id = Some("owner".to_owned())),
            "server option `cluster-id`: `owner` is reserved, or not made of letters, digits, - and _",
        ),
        (
            "",
            over(|o| o.log_level = Some("loud".to_owned())),
            "server option `log-level`: `loud` is not one of trace, debug, info, warn, error",
        ),
        (
            "tz = 'Mars/Base'",
            ServerOverrides::default(),
            "server option `tz`: `Mars/Base` is no time zone; write `System`, `UTC` or a name like `Asia/Shanghai`",
        ),
        (
            "",
            over(|o| o.memory_limit = Some("lots".to_owned())),
            "server option `memory-limit`: `lots` is no size; write it like 1048576, \"64KiB\" or \"512MiB\"",
        ),
        (
            "",
            over(|o| o.cert = Some("/c".to_owned())),
            "server option `security`: `cert-path` and `key-path` need each other",
        ),
        (
            "[security]\nclient-user-required = true",
            ServerOverrides::default(),
            "server option `security.client-user-required`: the API has no users; leave it out, and ask for certificates with `mtls`",
        ),
        (
            "[plugins]\nmax-size = '1B'",
            ServerOverrides::default(),
            "server option `plugins.max-size`: is not within 1 KiB and 64 MiB",
        ),
        (
            "[security]\nmtls = true",
            ServerOverrides::default(),
            "server option `security.mtls`: needs `ca-path`, `cert-path` and `key-path`: without TLS no client can show a certificate",
        ),
        ("gc-ttl = 'x'", ServerOverrides::default(), "invalid type: string \"x\", expected a whole number"),
        (
            "data-dirr = '/x'",
            ServerOverrides::default(),
            ":1:1: there is no option `data-dirr`; did you mean `data-dir`?",
        ),
    ] {
        let error = resolve(toml, &over).expect_err(end);
        assert!(error.to_string().ends_with(end), "{error}\n{end}");
        assert!(tg_config::CODES.iter().any(|p| p.code == error.code()));
    }
    let missing = ServerConfig::resolve(Some(std::path::Path::new("/no/such/file")), &ServerOverrides::default());
    assert!(missing.unwrap_err().to_string().starts_with("cannot read /no/such/file: "));
}
