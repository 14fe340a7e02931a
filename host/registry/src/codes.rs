//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

const fn page(code: u16, title: &'static str, cause: &'static str, action: &'static str) -> CodePage {
    CodePage { code: Code(code), title, cause, action }
}

/// One page per code of [`crate::RegistryError`] that is its own.
pub const CODES: &[CodePage] = &[
    page(
        4101,
        "A plugin is not installed",
        "The sink URI or the changefeed's file names a plugin that neither the binary, the registry nor the plugin folder has.",
        "Push it with `tidegate plugin push FILE`, copy it to the folder in the message as NAME.wasm, use one of the names there, or correct \
         the scheme of the sink URI.",
    ),
    page(
        4104,
        "A plugin's file cannot be read",
        "The file is there and the operating system does not let this process read it.",
        "Look at the reason in the message; give the user of the server the right to read the file.",
    ),
    page(
        4106,
        "A plugin has other bytes than agreed",
        "The changefeed's file gives a digest, and the version it names has another one: it was rebuilt or replaced.",
        "Install the build the digest belongs to, or put the new digest into the changefeed's file: `tidegate plugin inspect NAME` shows it.",
    ),
    page(
        4201,
        "A text that names no plugin",
        "Names and versions have at most 64 letters, digits, `-`, `_`, `.`; versions also `+`. A digest is `sha256:` and 64 hex digits.",
        "Correct the name; `tidegate plugin list` shows those that exist.",
    ),
    page(
        4202,
        "A plugin does not have this version",
        "It was never pushed to this cluster, was removed, or is misspelt.",
        "Use one of the versions in the message, or push this one with `tidegate plugin push FILE`.",
    ),
    page(
        4203,
        "No plugin has this digest",
        "The component was never pushed to this cluster, or was removed.",
        "Push the file with this digest (`sha256sum FILE`), or use another one: `tidegate plugin list` shows digests.",
    ),
    page(
        4204,
        "The name of a built-in plugin",
        "The plugins in the binary come and go with the binary, under their own names.",
        "Push your plugin under another name with --name.",
    ),
    page(
        4205,
        "A version exists with other bytes",
        "A version keeps its bytes for ever, so that everybody who names it gets the same.",
        "Raise the version in the plugin's manifest and build it again, or give another with --version.",
    ),
    page(
        4206,
        "A plugin in use is not removed",
        "Changefeeds, also paused and failed ones, run or would run this version.",
        "Give those changefeeds another plugin or version first, or remove them.",
    ),
    page(
        4207,
        "A component above the size limit",
        "`[plugins] max-size` of the server is the limit; it is 64 MiB unless set.",
        "Strip the component and leave debug information out, or raise the limit on every server.",
    ),
    page(
        4208,
        "A component without a signature",
        "The server has `[plugins] trusted-keys` and takes only what one of them has signed.",
        "Sign it with `tidegate plugin sign FILE --key-file KEY` and push again with --signature; in the folder, put the signature into NAME.wasm.sig.",
    ),
    page(
        4209,
        "A signed component under another name",
        "A signature speaks for the bytes, and the bytes say a name and a version. Under another name the signature would speak for \
         something it was not given for.",
        "Push it without --name and --version, or have it built and signed under the name you want.",
    ),
    page(
        4210,
        "A stored component is damaged",
        "The bytes on disk are not the bytes that were stored: the disk failed, or somebody changed the file.",
        "Look at the disk. Push the component again; this node then stores it anew.",
    ),
    page(
        4211,
        "The bytes of a plugin are out of reach",
        "The node that has them is away, or does not have them any more.",
        "Start that node, or push the component again: `tidegate plugin push FILE` with the same version is enough.",
    ),
    page(
        4212,
        "The plugin store cannot be written or read",
        "The disk is full, or the user of this process may not write to the data directory.",
        "Look at the reason in the message; free space or correct the rights, and try again.",
    ),
    page(
        4213,
        "There is no earlier version",
        "The history of this name has only the version that is active.",
        "Push the version you want and activate it.",
    ),
    page(
        4214,
        "Too many versions of a plugin",
        "A name keeps a bounded number of versions.",
        "Remove some that are not used: `tidegate plugin remove NAME@VERSION`.",
    ),
];
