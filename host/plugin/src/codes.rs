//! Help pages of this crate's codes.

use tg_model::{Code, CodePage};

macro_rules! page {
    ($code:literal, $title:literal, $cause:literal, $action:literal) => {
        CodePage { code: Code($code), title: $title, cause: $cause, action: $action }
    };
}

/// One page per code.
pub const CODES: &[CodePage] = &[
    page!(
        2001,
        "the file is not a WebAssembly component",
        "It is another kind of file, a core module, cut short, or no component that can be compiled here: one whose memory can never fit \
         is refused the same way. The message says what the check met.",
        "Build it as a component (Rust: target wasm32-wasip2), and compare its digest with the builder's."
    ),
    page!(
        2002,
        "the component is not a plugin of this version",
        "It exports none of `sink`, `dispatcher` and `transform` of tidegate:plugin 1.x, or not `describe`.",
        "Build it against the WIT package that comes with this version of Tidegate."
    ),
    page!(
        2003,
        "the component imports what this host does not offer",
        "It uses an interface outside the contract and WASI 0.2, or a function newer than this host.",
        "Leave the import named in the message out, or upgrade Tidegate."
    ),
    page!(
        2004,
        "a required capability is not granted",
        "The plugin's manifest requires it and the changefeed grants none.",
        "Add an endpoint of that kind to the changefeed, if you trust the plugin with it."
    ),
    page!(
        2005,
        "the component is too large",
        "Components above the limit in the message are not compiled.",
        "Strip it and leave debug information out."
    ),
    page!(
        2006,
        "the plugin does not describe itself",
        "`describe` trapped, took too long, or answered without a name or version, or with a configuration schema that cannot be checked.",
        "This is a mistake in the plugin: tell its author."
    ),
    page!(
        2007,
        "the plugin's configuration does not fit",
        "It is not JSON, or does not fit the JSON Schema in the plugin's manifest.",
        "Correct the key in the message, in the plugin section of the changefeed's configuration or in the sink URI; `config` is the whole of that section."
    ),
    page!(
        2008,
        "the plugin runtime failed",
        "Address space, instance slots or the cache directory are not to be had.",
        "See the detail; lower the number of lanes or raise the limit of the process."
    ),
    page!(
        2009,
        "the plugin's saved state cannot be read",
        "It was written by a newer Tidegate, or its bytes are damaged.",
        "Run this changefeed with the version that wrote it, or create it anew from its checkpoint."
    ),
    page!(
        2010,
        "a plugin call failed and may be repeated",
        "The downstream is busy or away.",
        "Nothing: it is repeated. Look at the downstream if it goes on."
    ),
    page!(
        2011,
        "the outcome of a plugin call is unknown",
        "The connection broke while the downstream was committing.",
        "Nothing: the host asks what is durable before it goes on."
    ),
    page!(
        2012,
        "another writer has taken over",
        "A newer owner of the slot has written to the downstream.",
        "If this repeats, look for a second cluster that runs the same changefeed."
    ),
    page!(
        2013,
        "the plugin gives up",
        "The plugin met something that repeating does not heal: for the MySQL plugin a statement the server refuses, because table or column differ, a value does not fit or a right is missing.",
        "The message names the table and what the server said. Put that right downstream (or filter the table out with `changefeed update`), then `changefeed resume`: it goes on from the checkpoint and nothing is lost."
    ),
    page!(
        2014,
        "the plugin does not support this",
        "The table, DDL or state needs a feature that this build of the plugin lacks.",
        "Use a newer plugin, or filter the table or DDL out."
    ),
    page!(
        2015,
        "the plugin is for another version of the contract",
        "It was built against a newer minor version of the WIT package tidegate:plugin than this host has, or another major one.",
        "Upgrade Tidegate, or build the plugin against the WIT package of the version in the message: a plugin for an older minor version always loads."
    ),
    page!(
        2020,
        "the plugin trapped",
        "The guest panicked or made a bad memory access.",
        "It is started again from the checkpoint. If it repeats, tell the plugin's author; the message has its last words."
    ),
    page!(
        2021,
        "the plugin ran out of stack",
        "Recursion without end, or very deep data.",
        "Tell the plugin's author."
    ),
    page!(
        2022,
        "the plugin used up its time",
        "A call computed longer than its limit; waiting for a downstream does not count.",
        "Make batches smaller or raise the limit; an endless loop is the author's to mend."
    ),
    page!(
        2023,
        "the plugin hit its memory limit",
        "It holds more than it may.",
        "Raise the memory limit of the plugin or let it flush earlier."
    ),
    page!(
        2024,
        "the plugin broke the contract",
        "Its answer names a lane, row, column, barrier or position that does not exist, or is too long.",
        "Tell the plugin's author; the message says what it answered."
    ),
    page!(
        2025,
        "the plugin instance is dead",
        "A call before this one was stopped.",
        "Nothing: a new instance is started."
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::{CallError, CallFault, PluginError, Stop};
    use tg_model::Coded;

    fn faults() -> Vec<CallFault> {
        let text = String::new;
        let stops = [Stop::Trap, Stop::StackOverflow, Stop::Deadline, Stop::Memory, Stop::Contract, Stop::Dead];
        let starts = [
            PluginError::NotComponent { detail: text() },
            PluginError::World { wanted: "", exports: text() },
            PluginError::Import { import: text() },
            PluginError::NotGranted { plugin: text(), capability: text(), reason: text() },
            PluginError::TooLarge { len_bytes: 1, limit_bytes: 0 },
            PluginError::Describe { detail: text() },
            PluginError::Config { plugin: text(), detail: text() },
            PluginError::Engine { detail: text() },
            PluginError::State { plugin: text(), detail: text() },
            PluginError::Version { interface: text(), host: text(), remedy: "" },
        ];
        let mut all = vec![
            CallFault::Retryable { message: text(), after_ms: None },
            CallFault::Unknown { message: text(), after_ms: None },
            CallFault::Fenced { message: text() },
            CallFault::Fatal { code: text(), message: text() },
            CallFault::Unsupported { code: text(), message: text() },
        ];
        all.extend(stops.map(|stop| CallFault::Stopped { stop, detail: text() }));
        all.extend(starts.map(CallFault::Start));
        all
    }

    #[test]
    fn every_error_has_a_page_and_every_page_an_error() {
        let mut used: Vec<_> = faults().into_iter().map(|f| CallError::new("p", "c", f).code()).collect();
        used.sort_unstable();
        let mut pages: Vec<_> = CODES.iter().map(|p| p.code).collect();
        pages.sort_unstable();
        assert_eq!(used, pages);
        assert!(CODES.iter().all(|p| !p.title.is_empty() && !p.cause.is_empty() && !p.action.is_empty()));
    }
}
