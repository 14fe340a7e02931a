//! Secrets of a changefeed: where they are, how they are kept when a masked form comes back.

use super::ChangefeedConfig;
use crate::Secret;
use serde_json::Value;

impl ChangefeedConfig {
    /// Puts the secrets' texts into what `to_json` wrote.
    pub(super) fn expose_into(&self, json: &mut Value) {
        let mut copy = self.clone();
        for (pointer, slot) in copy.secrets() {
            if let (Some(secret), Some(value)) = (slot, json.pointer_mut(pointer)) {
                *value = secret.expose().into();
            }
        }
        if let Some(grants) = json.pointer_mut("/tidegate/grants") {
            self.tidegate.grants.expose_into(grants);
        }
        let mut put = |pointer: &str, text: &str| {
            if let Some(value) = json.pointer_mut(pointer) {
                *value = text.into();
            }
        };
        put("/consistent/storage", self.consistent.storage.expose());
        if let Some(uri) = &self.sink.schema_registry {
            put("/sink/schema_registry", uri.expose());
        }
        if let Some(large) = self.sink.kafka_config.as_ref().and_then(|k| k.large_message_handle.as_ref()) {
            put(
                "/sink/kafka_config/large_message_handle/claim_check_storage_uri",
                large.claim_check_storage_uri.expose(),
            );
        }
    }

    /// Where this configuration holds a mask in place of a secret, as a client got it from the API, puts the
    /// secret that `old` holds.
    pub fn keep_secrets_of(&mut self, old: &Self) {
        let mut old = old.clone();
        let known: Vec<(&str, Option<Secret>)> = old.secrets().into_iter().map(|(p, s)| (p, s.clone())).collect();
        for (pointer, slot) in self.secrets() {
            let masked = slot.as_ref().is_some_and(|s| s.expose() == Secret::MASK);
            if let Some((_, secret)) = known.iter().find(|(p, _)| masked && *p == pointer) {
                slot.clone_from(secret);
            }
        }
        if self.consistent.storage.expose() == old.consistent.storage.to_string() {
            self.consistent.storage = old.consistent.storage;
        }
        self.tidegate.grants.keep_secrets_of(&old.tidegate.grants);
    }

    /// Every secret with its place in the API's object.
    fn secrets(&mut self) -> Vec<(&'static str, &mut Option<Secret>)> {
        let mut all = Vec::new();
        if let Some(kafka) = &mut self.sink.kafka_config {
            all.push(("/sink/kafka_config/sasl_password", &mut kafka.sasl_password));
            all.push(("/sink/kafka_config/sasl_gssapi_password", &mut kafka.sasl_gssapi_password));
            all.push(("/sink/kafka_config/sasl_oauth_client_secret", &mut kafka.sasl_oauth_client_secret));
            if let Some(glue) = &mut kafka.glue_schema_registry_config {
                let place = "/sink/kafka_config/glue_schema_registry_config/secret_access_key";
                all.push((place, &mut glue.secret_access_key));
                all.push(("/sink/kafka_config/glue_schema_registry_config/token", &mut glue.token));
            }
        }
        if let Some(pulsar) = &mut self.sink.pulsar_config {
            all.push(("/sink/pulsar_config/authentication-token", &mut pulsar.authentication_token));
            all.push(("/sink/pulsar_config/basic-password", &mut pulsar.basic_password));
            if let Some(oauth2) = &mut pulsar.oauth2 {
                all.push(("/sink/pulsar_config/oauth2/oauth2-private-key", &mut oauth2.oauth2_private_key));
            }
        }
        all
    }
}
