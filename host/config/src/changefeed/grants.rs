//! `[tidegate.grants]`: what a changefeed's plugins may open, by name. Nothing else is reachable for them.

use crate::{ByteSize, Interval, Secret, SecretUri};
use serde_json::Value;
use std::collections::BTreeMap;

section! {
    /// What a changefeed's plugins may open, by name.
    GrantsConfig {
        /// HTTP origins.
        http: BTreeMap<String, HttpGrant> = BTreeMap::new(),
        /// SQL databases besides that of the sink URI.
        sql: BTreeMap<String, SqlGrant> = BTreeMap::new(),
        /// Message queues.
        producer: BTreeMap<String, ProducerGrant> = BTreeMap::new(),
        /// Buckets and folders.
        object_store: BTreeMap<String, ObjectStoreGrant> = BTreeMap::new(),
        /// Values that a plugin reads itself.
        secret: BTreeMap<String, SecretGrant> = BTreeMap::new(),
    }
}

section! {
    /// One `[tidegate.grants.http.NAME]`: an origin.
    HttpGrant {
        /// `https://host[:port][/path]`; requests go to paths below it, redirects are not followed.
        url: SecretUri = SecretUri::default(),
        /// Headers that the host adds and the plugin never sees; `${NAME}` stands for the secret of that name.
        headers: BTreeMap<String, Secret> = BTreeMap::new(),
        /// Methods that may be used; empty: all.
        methods: Vec<String> = Vec::new(),
        /// Longest wait for an answer.
        timeout: Interval = Interval::from_secs(30),
        /// Largest answer that is read.
        max_response_size: ByteSize = ByteSize::new(8 << 20),
        /// Path of a CA certificate that the server is checked with, besides the usual ones.
        ca: Option<String> = None,
    }
}

section! {
    /// One `[tidegate.grants.sql.NAME]`.
    SqlGrant {
        /// A MySQL-class sink URI.
        url: SecretUri = SecretUri::default(),
    }
}

section! {
    /// One `[tidegate.grants.producer.NAME]`.
    ProducerGrant {
        /// A Kafka sink URI.
        url: SecretUri = SecretUri::default(),
    }
}

section! {
    /// One `[tidegate.grants.object-store.NAME]`.
    ObjectStoreGrant {
        /// A storage sink URI.
        url: SecretUri = SecretUri::default(),
    }
}

section! {
    /// One `[tidegate.grants.secret.NAME]`: exactly one of the three.
    SecretGrant {
        /// The secret.
        value: Option<Secret> = None,
        /// Name of a file in the server's `secrets` folder.
        file: Option<String> = None,
        /// Name of an environment variable of the server; begins with `TIDEGATE_SECRET_`.
        env: Option<String> = None,
    }
}

/// Kinds of grants, as plugins name them: `kind.NAME`.
pub(crate) const KINDS: &[&str] = &["http", "sql", "producer", "object-store", "secret"];

impl GrantsConfig {
    /// Every grant as plugins name it.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let of = |kind: &'static str, names: Vec<&String>| {
            names.into_iter().map(move |n| format!("{kind}.{n}")).collect::<Vec<_>>()
        };
        [
            of("http", self.http.keys().collect()),
            of("sql", self.sql.keys().collect()),
            of("producer", self.producer.keys().collect()),
            of("object-store", self.object_store.keys().collect()),
            of("secret", self.secret.keys().collect()),
        ]
        .concat()
    }

    /// Every URL with the names it stands under in the API's object.
    fn urls(&mut self) -> Vec<([String; 2], &mut SecretUri)> {
        let mut all: Vec<([String; 2], &mut SecretUri)> = Vec::new();
        all.extend(self.http.iter_mut().map(|(n, g)| (["http".to_owned(), n.clone()], &mut g.url)));
        all.extend(self.sql.iter_mut().map(|(n, g)| (["sql".to_owned(), n.clone()], &mut g.url)));
        all.extend(self.producer.iter_mut().map(|(n, g)| (["producer".to_owned(), n.clone()], &mut g.url)));
        all.extend(self.object_store.iter_mut().map(|(n, g)| (["object_store".to_owned(), n.clone()], &mut g.url)));
        all
    }

    /// Puts the secrets' texts into the API's object of these grants.
    pub(super) fn expose_into(&self, json: &mut Value) {
        let mut copy = self.clone();
        for ([kind, name], url) in copy.urls() {
            if let Some(place) = json.get_mut(&kind).and_then(|k| k.get_mut(&name)).and_then(|g| g.get_mut("url")) {
                *place = url.expose().into();
            }
        }
        for (name, grant) in &self.http {
            let headers = json.get_mut("http").and_then(|k| k.get_mut(name)).and_then(|g| g.get_mut("headers"));
            if let Some(headers) = headers.and_then(Value::as_object_mut) {
                headers.extend(grant.headers.iter().map(|(h, secret)| (h.clone(), secret.expose().into())));
            }
        }
        for (name, grant) in &self.secret {
            let place = json.get_mut("secret").and_then(|k| k.get_mut(name)).and_then(|g| g.get_mut("value"));
            if let (Some(place), Some(secret)) = (place, &grant.value) {
                *place = secret.expose().into();
            }
        }
    }

    /// Where this holds a mask, puts what `old` holds.
    pub(super) fn keep_secrets_of(&mut self, old: &Self) {
        let mut old = old.clone();
        let known: Vec<_> = old.urls().into_iter().map(|(place, url)| (place, url.clone())).collect();
        for (place, url) in self.urls() {
            if let Some((_, before)) =
                known.iter().find(|(p, before)| *p == place && *url.expose() == before.to_string())
            {
                *url = before.clone();
            }
        }
        for (name, grant) in &mut self.http {
            let before = old.http.get(name);
            for (header, secret) in &mut grant.headers {
                restore(secret, before.and_then(|b| b.headers.get(header)));
            }
        }
        for (name, grant) in &mut self.secret {
            if let Some(secret) = &mut grant.value {
                restore(secret, old.secret.get(name).and_then(|b| b.value.as_ref()));
            }
        }
    }
}

fn restore(secret: &mut Secret, before: Option<&Secret>) {
    if let Some(before) = before.filter(|_| secret.expose() == Secret::MASK) {
        *secret = before.clone();
    }
}
