//! Help pages of the codes of `tidegate dev`.

use tg_model::{Code, CodePage};

/// One page per code of [`super::error::DevError`] that is its own.
pub(crate) const CODES: &[CodePage] = &[
    CodePage {
        code: Code(8131),
        title: "What the plugin needs cannot be started here",
        cause: "`tidegate dev` starts an HTTP receiver and a MariaDB for plugins that ask for them; there is nothing for the capability in the message.",
        action: "Try the plugin with `tidegate plugin test`, which stands in for every capability, or run it on a server with a real endpoint.",
    },
    CodePage {
        code: Code(8132),
        title: "The system refuses something that `tidegate dev` needs",
        cause: "A file, folder, socket or process could not be used. The message has the system's words.",
        action: "Put that right and start again; nothing was left behind.",
    },
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::CODES;
    use crate::dev::error::DevError;
    use tg_model::Coded;

    #[test]
    fn every_error_has_a_page() {
        let errors = [
            DevError::Surroundings { capability: String::new(), reason: "" },
            DevError::system("", std::io::Error::other("")),
        ];
        assert_eq!(errors.map(|e| e.code()).to_vec(), CODES.iter().map(|p| p.code).collect::<Vec<_>>());
    }
}
