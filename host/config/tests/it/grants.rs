//! Grants and the plugins that get them.

use tg_config::ChangefeedConfig;
use tg_model::Coded;

const FULL: &str = r#"
[tidegate.sink]
plugin = "orders"
grants = ["http.hooks_v-1", "secret.Api_key"]
[tidegate.dispatcher]
plugin = "by-region@1.2.0"
grants = []
[[tidegate.transforms]]
plugin = "mask"
pin = true
config = {columns = ["email"], keep-last = 2}
[[tidegate.transforms]]
plugin = "sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"

[tidegate.grants.http.hooks_v-1]
url = "https://hooks.example.com/v1"
headers = {Authorization = "Bearer ${Api_key}", "X-Team_Name" = "hunter3"}
methods = ["POST"]
timeout = "5s"
[tidegate.grants.sql.warehouse]
url = "mysql://root:hunter4@127.0.0.1:3306/"
[tidegate.grants.producer.events]
url = "kafka://127.0.0.1:9092/events?protocol=canal-json&sasl-password=hunter5"
[tidegate.grants.object-store.lake]
url = "s3://bucket/p?secret-access-key=hunter6"
[tidegate.grants.secret.Api_key]
value = "hunter7"
[tidegate.grants.secret.from-env]
env = "TIDEGATE_SECRET_X"
[tidegate.grants.secret.from-file]
file = "x.txt"
"#;

const SECRETS: &[&str] = &["hunter3", "hunter4", "hunter5", "hunter6", "hunter7"];

#[test]
fn grants_are_read_stored_and_shown_without_their_secrets() {
    let (config, warnings) = ChangefeedConfig::from_toml("cf.toml", FULL).unwrap();
    assert_eq!(warnings, []);
    let own = &config.tidegate;
    assert_eq!(own.dispatcher.as_ref().unwrap().grants.as_deref(), Some(&[][..]));
    assert_eq!(own.transforms[0].grants, None);
    let follows = [own.sink.as_ref(), own.dispatcher.as_ref(), Some(&own.transforms[0]), Some(&own.transforms[1])];
    assert_eq!(follows.map(|p| p.unwrap().follows()), [true, false, false, false]);

    let stored = config.to_stored();
    assert_eq!(ChangefeedConfig::from_stored(&stored).unwrap(), config, "names keep their `-` and `_`");
    let json = config.to_json();
    for text in [json.to_string(), config.to_toml(), format!("{config:?}")] {
        for secret in SECRETS {
            assert!(stored.to_string().contains(secret), "{secret} is stored");
            assert!(!text.contains(secret), "{secret} shows in {text}");
        }
    }
    let (mut masked, _) = ChangefeedConfig::from_json(&json).unwrap();
    masked.keep_secrets_of(&config);
    assert_eq!(masked, config, "what was shown masked means what it was");
}

#[test]
fn bad_grants_say_what_and_what_was_meant() {
    for (text, code, message) in [
        (
            "[tidegate.grants.http.a]\nurl = 'hooks.example.com'",
            6003,
            "cf.toml:2:1: option `tidegate.grants.http.a.url`: is an origin: `https://host[:port][/path]`",
        ),
        (
            "[tidegate.grants.http.a]\nurl = 'https://user:hunter2@h'",
            6003,
            "cf.toml:2:1: option `tidegate.grants.http.a.url`: holds a user; give an `Authorization` in `headers`",
        ),
        (
            "[tidegate.grants.http.a]\nulr = 'https://h'",
            6002,
            "cf.toml:2:1: there is no option `tidegate.grants.http.a.ulr`; did you mean `url`?",
        ),
        (
            "[tidegate.grants.htpp.a]\nurl = 'https://h'",
            6002,
            "cf.toml:1:18: there is no option `tidegate.grants.htpp`; did you mean `http`?",
        ),
        (
            "[tidegate.grants.http.a]\nurl = 'https://h'\nheaders = {X = '${kee}'}\n[tidegate.grants.secret.key]\nvalue = 'x'",
            6003,
            "cf.toml:3:1: option `tidegate.grants.http.a.headers`: `X` uses the secret `kee`, which is not granted; did you mean `key`?",
        ),
        (
            "[tidegate.grants.http.a]\nurl = 'https://h'\n[tidegate.sink]\nplugin = 'p'\ngrants = ['http.b']",
            6003,
            "cf.toml:5:1: option `tidegate.sink.grants`: there is no grant `http.b`; did you mean `http.a`?",
        ),
        (
            "[[tidegate.transforms]]\nplugin = 'p'\ngrants = ['secret.token']",
            6003,
            "cf.toml:3:1: option `tidegate.transforms[0].grants`: there is no grant `secret.token`; define it as `[tidegate.grants.secret.token]`",
        ),
        (
            "[tidegate.grants.secret.a]\nvalue = 'x'\nenv = 'TIDEGATE_SECRET_A'",
            6004,
            "cf.toml:1:25: option `tidegate.grants.secret.a` needs exactly one of `value`, `file` and `env`",
        ),
        (
            "[tidegate.grants.secret.a]\nenv = 'HOME'",
            6003,
            "cf.toml:2:1: option `tidegate.grants.secret.a.env`: begins with `TIDEGATE_SECRET_`: nothing else of the server can be read",
        ),
        (
            "[tidegate.grants.secret.a]\nfile = '../x'",
            6003,
            "cf.toml:2:1: option `tidegate.grants.secret.a.file`: is the name of a file in the server's folder of secrets, without a path",
        ),
        (
            "[tidegate.grants.sql.a]\nurl = 'kafka://h:1/t'",
            6003,
            "cf.toml:2:1: option `tidegate.grants.sql.a.url`: is a URI like mysql://… or postgres://…",
        ),
        (
            "[tidegate.grants.sql.downstream]\nurl = 'mysql://h/'",
            6004,
            "cf.toml:1:22: option `tidegate.grants.sql.downstream` has the name of the endpoint that the sink URI describes",
        ),
        (
            "[tidegate.grants.http.a]\nurl = 'https://h'\n[tidegate.grants.secret.a]\nvalue = 'x'",
            6004,
            "cf.toml:3:25: option `tidegate.grants.secret.a` has the same name as `tidegate.grants.http.a`: plugins open by name alone",
        ),
        (
            "[tidegate.grants.secret.a]\nvalue = 8213",
            6003,
            "cf.toml:2:9: option `tidegate.grants.secret.a.value`: is not a text",
        ),
    ] {
        let error = ChangefeedConfig::from_toml("cf.toml", text).expect_err(text);
        assert_eq!((error.to_string(), error.code().0), (message.to_owned(), code), "{text}");
    }
}
