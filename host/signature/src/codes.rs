//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per code of [`crate::SignatureError`].
pub const CODES: &[CodePage] = &[
    page(
        4251,
        "A text that is no key",
        "Public keys are `ed25519:` and 44 characters of base64, private keys `ed25519-private:` and 44 characters.",
        "Copy the whole line that `tidegate plugin keygen` printed or wrote.",
    ),
    page(
        4252,
        "A text that is no signature",
        "Signatures are one line: `tidegate-sig-1:`, the signer's public key, `:`, the signature, both in base64.",
        "Make a new one with `tidegate plugin sign FILE --key-file KEY`, and give it as it is.",
    ),
    page(
        4253,
        "The signer is not trusted",
        "The server's `[plugins] trusted-keys` does not have the key the component was signed with.",
        "Sign it with a trusted key, or add this key to `trusted-keys` on every server if you trust its holder.",
    ),
    page(
        4254,
        "The signature belongs to other bytes",
        "The component was changed or rebuilt after it was signed, or the signature of another file was given.",
        "Sign the component as it is now: `tidegate plugin sign FILE --key-file KEY`. If you did not change it, find out who did.",
    ),
    page(
        4255,
        "No random numbers",
        "The operating system did not give random bytes for a new key.",
        "Try again; on a machine that has just booted, wait a moment.",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::SignatureError;
    use tg_model::Coded;

    #[test]
    fn every_error_has_a_page() {
        for error in [
            SignatureError::BadKey { what: "", reason: "" },
            SignatureError::BadSignature { reason: "" },
            SignatureError::Untrusted { key: String::new(), trusted: 0 },
            SignatureError::Mismatch { key: String::new() },
            SignatureError::NoRandom,
        ] {
            assert!(CODES.iter().any(|p| p.code == error.code()), "{error:?}");
        }
    }
}
