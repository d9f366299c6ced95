//! The reference page, rendered from the tables.

use std::fmt::Write;

use crate::Setting;
use crate::section::ALL;
use crate::value::Form;

const INTRODUCTION: &str = "\
# Configuration

<!-- Rendered from the tables in crates/config by `cargo xtask generate`. -->

Berth needs no configuration. What can be set is set, each over the one before, by

1. a YAML file: `berth serve --config FILE` or `BERTH_CONFIG=FILE`,
2. the environment: `BERTH_<SECTION>__<KEY>`, and shorter `BERTH_DATA`, `BERTH_LISTEN` and `BERTH_ADMIN_PASSWORD`; a secret also from a file whose path stands in the same name with `_FILE` behind it,
3. flags: `--data`, `--listen`.

What is unknown or cannot work is refused at the start, with its place and with what to write instead. `berth config check` says so without starting anything;
`berth config show` prints every effective value and where it came from.

Settings are read at the start; only a renewed certificate is read again, by itself. Ctrl-C and SIGTERM end Berth within `server.drain` and `server.grace`, a second
one at once; SIGHUP ends nothing.
";

/// The reference page as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut forms: Vec<Form> = Vec::new();
    for table in ALL {
        let _ = write!(page, "\n## {}\n\n{}\n\n", table.name, joined(table.about));
        page.push_str("| setting | is | default | meaning |\n|---|---|---|---|\n");
        for setting in table.settings {
            let default = match setting.default {
                "" => "not set".to_owned(),
                default => format!("`{default}`"),
            };
            let (names, form) = (variables(setting), setting.form);
            let about = joined(setting.about);
            let _ =
                writeln!(page, "| `{}`<br>`{names}` | {} | {default} | {about} |", setting.key, form.what);
            if !forms.iter().any(|known| known.what == form.what) {
                forms.push(form);
            }
        }
    }
    page.push_str("\n## How values are written\n\n| what | write |\n|---|---|\n");
    for Form { what, write, .. } in forms {
        let _ = writeln!(page, "| {what} | {write} |");
    }
    page
}

fn variables(setting: &Setting) -> String {
    let mut names = vec![setting.variable()];
    names.extend(setting.short_variable().map(str::to_owned));
    if setting.form.secret {
        let files: Vec<_> = names.iter().map(|name| format!("{name}_FILE")).collect();
        names.extend(files);
    }
    names.join("`<br>`")
}

fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}
