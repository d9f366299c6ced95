//! Lays the layers over each other: defaults, file, environment, flags.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::{Config, Error, Origin, Problem, Setting, environment, file};

/// Where values are to be taken from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The configuration file, if there is one.
    pub file: Option<PathBuf>,
    /// The process's environment.
    pub environment: Vec<(String, String)>,
    /// What was given on the command line.
    pub flags: Vec<Flag>,
}

/// A flag of the command line that sets a setting.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Its name, with its dashes.
    pub name: &'static str,
    /// The section of its setting.
    pub section: &'static str,
    /// The name of its setting.
    pub key: &'static str,
    /// What it says.
    pub value: String,
}

/// A configuration that can work.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The effective values.
    pub config: Config,
    /// What should be told to whoever starts Berth.
    pub warnings: Vec<String>,
    pub(crate) origins: HashMap<(&'static str, &'static str), Origin>,
}

impl Loaded {
    /// Where a setting's value comes from.
    #[must_use]
    pub fn origin(&self, setting: &Setting) -> &Origin {
        self.origins.get(&(setting.section, setting.key)).unwrap_or(&Origin::Default)
    }
}

/// Loads the configuration, or says everything that is wrong with it.
pub fn load(sources: &Sources) -> Result<Loaded, Error> {
    let mut layers = Layers::default();
    if let Some(path) = &sources.file {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::Unreadable { path: path.clone(), why: error.to_string() })?;
        file::apply(path, &text, &mut layers);
    }
    environment::apply(&sources.environment, &mut layers);
    for flag in &sources.flags {
        if let Some(setting) = Setting::find(flag.section, flag.key) {
            layers.set(setting, &flag.value, Origin::Flag(flag.name));
        }
    }
    if layers.config.data.directory.as_os_str().is_empty()
        && let Some((directory, variable)) = default_data_directory(&sources.environment)
    {
        layers.config.data.directory = directory;
        layers.origins.insert(("data", "directory"), Origin::Environment(variable.to_owned()));
    }
    layers.finish()
}

/// `$XDG_DATA_HOME/berth`, else `~/.local/share/berth`; a relative `XDG_DATA_HOME` is to be ignored (XDG Base Directory). And the
/// variable that decided.
fn default_data_directory(environment: &[(String, String)]) -> Option<(PathBuf, &'static str)> {
    let variable = |wanted: &str| {
        let found = environment.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| PathBuf::from(value)).filter(|path| path.is_absolute())
    };
    match variable("XDG_DATA_HOME") {
        Some(share) => Some((share.join("berth"), "XDG_DATA_HOME")),
        None => Some((variable("HOME")?.join(".local/share/berth"), "HOME")),
    }
}

/// What the layers have come to so far.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    config: Config,
    origins: HashMap<(&'static str, &'static str), Origin>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl Layers {
    /// Sets one setting over what was set before.
    pub(crate) fn set(&mut self, setting: &'static Setting, text: &str, origin: Origin) {
        match self.config.set(setting, text) {
            Ok(()) => {
                self.origins.insert((setting.section, setting.key), origin);
            }
            Err(message) => self.refuse(origin, format!("{}.{}: {message}", setting.section, setting.key)),
        }
    }

    pub(crate) fn refuse(&mut self, origin: Origin, message: String) {
        self.problems.push(Problem { origin, message });
    }

    pub(crate) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    fn finish(mut self) -> Result<Loaded, Error> {
        for finding in self.config.validate() {
            let finding = finding.blame(|said| self.origins.contains_key(&(said.section, said.key)));
            let origin =
                self.origins.get(&(finding.section, finding.key)).unwrap_or(&Origin::Default).clone();
            self.refuse(origin, format!("{}.{}: {}", finding.section, finding.key, finding.message));
        }
        if self.problems.is_empty() {
            Ok(Loaded { config: self.config, warnings: self.warnings, origins: self.origins })
        } else {
            Err(Error::Refused(self.problems))
        }
    }
}
