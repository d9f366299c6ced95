//! The steps of the test run, one file each, all on this screen.

mod build;
mod conformance;
mod deny;
mod docs;
mod doctests;
mod format;
mod generated;
mod guards;
mod ignored;
mod junit;
mod layers;
mod lint;
mod machete;
mod size;
mod source;
mod stories;
mod tools;
mod unit;

use anyhow::Result;

use crate::context::Context;

/// One step of `cargo xtask test`.
#[derive(Debug)]
pub(crate) struct Step {
    /// What `--only` takes.
    pub(crate) name: &'static str,
    /// One line for people.
    pub(crate) what: &'static str,
    /// Whether the steps after it stand on it.
    pub(crate) needed: bool,
    pub(crate) run: fn(&Context) -> Result<Outcome>,
}

/// How many checks passed and failed, and how many tests were passed over because they are long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) ignored: usize,
}

impl Outcome {
    /// `count` checks passed.
    pub(crate) const fn passed(count: usize) -> Self {
        Self { passed: count, failed: 0, ignored: 0 }
    }

    /// One check failed.
    pub(crate) const fn failed() -> Self {
        Self { passed: 0, failed: 1, ignored: 0 }
    }

    /// Both together.
    pub(crate) const fn and(self, other: &Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            ignored: self.ignored + other.ignored,
        }
    }
}

/// All steps; the cheap ones first.
pub(crate) const ALL: &[Step] = &[
    Step { name: "tools", what: "what the tests need is installed", needed: true, run: tools::run },
    Step { name: "format", what: "rustfmt changes nothing", needed: false, run: format::run },
    Step { name: "layers", what: "who may import whom", needed: false, run: layers::run },
    Step { name: "guards", what: "every use case begins with its check", needed: false, run: guards::run },
    Step { name: "size", what: "lines a file, where `unsafe` may be", needed: false, run: size::run },
    Step { name: "deny", what: "licences, sources and banned crates", needed: false, run: deny::run },
    Step { name: "machete", what: "no dependency is unused", needed: false, run: machete::run },
    Step {
        name: "lint",
        what: "clippy over all targets, warnings are errors",
        needed: false,
        run: lint::run,
    },
    Step {
        name: "docs",
        what: "rustdoc with private items, warnings are errors",
        needed: false,
        run: docs::run,
    },
    Step { name: "build", what: "the binary that the stories start", needed: true, run: build::run },
    Step {
        name: "generated",
        what: "generated files are as `cargo xtask generate` writes them",
        needed: false,
        run: generated::run,
    },
    Step { name: "unit", what: "unit and contract tests", needed: false, run: unit::run },
    Step { name: "doctests", what: "examples in the documentation", needed: false, run: doctests::run },
    Step {
        name: "conformance",
        what: "the OCI conformance suite: 1.0, 1.1, dev",
        needed: false,
        run: conformance::run,
    },
    Step { name: "stories", what: "real clients against the real binary", needed: false, run: stories::run },
];
