//! The common name in a certificate that has been verified.

/// DER tags.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const VERSION: u8 = 0xa0;
/// The attribute `commonName`, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The last common name of the subject, as text; `None`: there is none, or this is no certificate.
pub(super) fn common_name(certificate: &[u8]) -> Option<String> {
    let (_, certificate, _) = element(certificate, Some(SEQUENCE))?;
    let (_, mut rest, _) = element(certificate, Some(SEQUENCE))?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest, None)?.2;
    }
    // Serial number, algorithm, issuer, validity; then the subject.
    for _ in 0..4 {
        rest = element(rest, None)?.2;
    }
    let (_, mut subject, _) = element(rest, Some(SEQUENCE))?;
    let mut found = None;
    while !subject.is_empty() {
        let (_, mut set, next) = element(subject, Some(SET))?;
        subject = next;
        while !set.is_empty() {
            let (_, attribute, after) = element(set, Some(SEQUENCE))?;
            set = after;
            let (_, oid, value) = element(attribute, Some(OID))?;
            let (_, text, _) = element(value, None)?;
            if oid == COMMON_NAME {
                found = std::str::from_utf8(text).ok().map(str::to_owned);
            }
        }
    }
    found
}

/// Tag, content, and what follows.
fn element(bytes: &[u8], wanted: Option<u8>) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        n if *n < 0x80 => (usize::from(*n), rest),
        n => {
            let digits = usize::from(n & 0x7f);
            let (len, rest) = rest.split_at_checked(digits)?;
            if digits == 0 || digits > 4 {
                return None;
            }
            (len.iter().fold(0, |all, b| (all << 8) | usize::from(*b)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(len)?;
    wanted.is_none_or(|w| w == *tag).then_some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::common_name;
    use rcgen::{CertificateParams, DnType, KeyPair};

    #[test]
    fn the_name_is_found_and_nonsense_is_not() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, "shop");
        params.distinguished_name.push(DnType::CommonName, "tidegate-client");
        let certificate = params.self_signed(&key).unwrap();
        let der = certificate.der();
        assert_eq!(common_name(der).as_deref(), Some("tidegate-client"));
        for end in 0..der.len() {
            assert_eq!(common_name(&der[..end]), None, "cut at {end}");
        }
        for flipped in 0..der.len() {
            let mut bytes = der.to_vec();
            bytes[flipped] ^= 0xff;
            // Any answer will do; it must be one.
            let _ = common_name(&bytes);
        }
    }
}
