//! `berth admin`.

mod robots;

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use berth_domain::{Role, Scope};
use berth_server::administration;
use clap::{Args, Subcommand};

use crate::output;
use crate::settings::ConfigFlags;

/// What is to be done for the administrator.
#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Print what roles and robots may do, as tables in Markdown
    #[command(after_help = "\
Examples:
  berth admin permissions
  berth admin permissions > permissions.md")]
    Permissions,
    /// List all robots with their last use
    Robots(robots::Robots),
    /// Give `admin` another password, beside a running server or without one
    ResetPassword(ResetPassword),
}

/// Gives `admin` another password; everything that was issued to `admin` before ends within seconds
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  berth admin reset-password
  berth admin reset-password --password-file /run/secrets/admin
  printf %s \"$PASSWORD\" | berth admin reset-password --password-file -

Without a file, a password is made up and printed. It opens the database itself, so that it also works when nobody can log in.")]
pub(crate) struct ResetPassword {
    /// The file that holds the new password; `-` is the standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    flags: ConfigFlags,
}

impl Admin {
    pub(super) async fn run(self) -> Result<ExitCode> {
        match self {
            Self::Permissions => {
                output::say(permissions().trim_end());
                Ok(ExitCode::SUCCESS)
            }
            Self::Robots(robots) => robots.run().await,
            Self::ResetPassword(reset) => reset.run().await,
        }
    }
}

/// The tables of roles and of robots' permissions.
fn permissions() -> String {
    let (roles, system, project) = (Role::table(), Scope::System.table(), Scope::Project.table());
    format!(
        "### Roles in a project\n\n{roles}\n### What a robot may be given in a project\n\n{project}\n### What a system robot may be given outside of projects\n\n{system}"
    )
}

impl ResetPassword {
    async fn run(self) -> Result<ExitCode> {
        let config = self.flags.load(Vec::new())?.config;
        let given = self.password_file.as_deref().map(read).transpose()?;
        let made_up = given.is_none();
        let password = administration::reset_admin_password(&config, given).await?;
        if made_up {
            output::say(&format!("the new password of admin: {}", password.reveal()));
        } else {
            output::say("admin has the new password");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The text of a file or of the standard input, without its last line's end.
fn read(file: &std::path::Path) -> Result<String> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
