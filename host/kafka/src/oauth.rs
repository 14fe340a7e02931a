//! Tokens for OAUTHBEARER, by the client credentials grant.

use crate::target::OauthTarget;
use rdkafka::client::OAuthToken;
use serde::Deserialize;
use std::error::Error;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;

/// Longest wait for a token.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a token is good for whose server does not say.
const LIFETIME_DEFAULT_S: u64 = 300;

/// Asks for tokens.
pub(crate) struct Oauth {
    target: OauthTarget,
    client: reqwest::Client,
    runtime: Handle,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: Option<u64>,
}

impl Oauth {
    /// To be called within a runtime.
    pub(crate) fn new(target: &OauthTarget) -> Self {
        // Somebody else of the process may have chosen it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { target: target.clone(), client: reqwest::Client::new(), runtime: Handle::current() }
    }

    /// A fresh token. Called on threads of the library and on those that may block, never on the runtime's own.
    pub(crate) fn token(&self) -> Result<OAuthToken, Box<dyn Error>> {
        let answer = self.runtime.block_on(async { tokio::time::timeout(TOKEN_TIMEOUT, self.ask()).await });
        let answer = answer.map_err(|_| "the token endpoint does not answer")??;
        let now = SystemTime::UNIX_EPOCH.elapsed()?;
        let lifetime = Duration::from_secs(answer.expires_in.unwrap_or(LIFETIME_DEFAULT_S));
        Ok(OAuthToken {
            token: answer.access_token,
            principal_name: self.target.client_id.clone(),
            lifetime_ms: i64::try_from((now + lifetime).as_millis())?,
        })
    }

    async fn ask(&self) -> Result<Answer, Box<dyn Error>> {
        let t = &self.target;
        let grant = if t.grant_type.is_empty() { "client_credentials" } else { &t.grant_type };
        let mut form = vec![("grant_type", grant.to_owned())];
        if !t.scopes.is_empty() {
            form.push(("scope", t.scopes.join(" ")));
        }
        if !t.audience.is_empty() {
            form.push(("audience", t.audience.clone()));
        }
        let body: Vec<String> = form.iter().map(|(k, v)| format!("{k}={}", encoded(v))).collect();
        let request = self
            .client
            .post(&t.token_url)
            .basic_auth(&t.client_id, Some(t.client_secret.expose()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"));
        // An error of the client repeats the URL, in which nothing secret stands.
        let answer = request.send().await?;
        if !answer.status().is_success() {
            return Err(format!("the token endpoint answers {}", answer.status()).into());
        }
        Ok(answer.json().await?)
    }
}

/// A value in a form.
fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn values_are_encoded() {
        assert_eq!(encoded("a b&c=ö"), "a%20b%26c%3D%C3%B6");
    }
}
