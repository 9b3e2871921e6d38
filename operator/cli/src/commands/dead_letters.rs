//! `innkeeper dead-letters` and `innkeeper parked-events`: lists, shows, replays and discards what
//! a running service could not handle, and what the log did not take from it, through its admin
//! address.

mod admin;
mod print;
mod subject;

use clap::{Args, Subcommand, ValueEnum};
use innkeeper_contracts::pod;
use serde_json::Value;

use crate::exit::Failure;
use admin::{Admin, Listing};
use subject::Subject;

pub use subject::{DEAD_LETTERS, PARKED_EVENTS};

/// The arguments of both commands.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// Admin address of a service, or of `innkeeper dev`: all of its services, or with
    /// /PLATFORM/SERVICE one of them.
    #[arg(long, global = true, value_name = "URL", default_value_t = dev())]
    admin: String,
    /// How the result is printed.
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table)]
    output: Output,
}

#[derive(Subcommand)]
enum Action {
    /// List them, oldest first.
    List {
        /// How many of each service at most.
        #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Show one with its headers and payload.
    Show {
        /// Its id, from the list.
        id: String,
    },
    /// Try again: a dead letter has its effect once, and a parked event is sent.
    Replay {
        /// Their ids, from the list.
        #[arg(required_unless_present = "all")]
        ids: Vec<String>,
        /// Replay all that there are.
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
    /// Delete them. What they were about never has its effect, and what waits for a parked event
    /// goes on.
    Discard {
        /// Their ids, from the list.
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// How a result is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Output {
    /// Columns, for people to read.
    Table,
    /// JSON, for programs to read.
    Json,
}

fn dev() -> String {
    format!("http://127.0.0.1:{}", pod::ADMIN_PORT)
}

pub fn run(arguments: &Arguments, subject: &'static Subject) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::failed(&error))?;
    runtime.block_on(act(arguments, subject))
}

async fn act(arguments: &Arguments, subject: &'static Subject) -> Result<(), Failure> {
    let admin = Admin::find(&arguments.admin, subject).await?;
    let none = format!("there are no {}s", subject.noun);
    let is_table = arguments.output == Output::Table;
    match &arguments.action {
        Action::List { limit } => {
            let Listing { letters, have_more } = admin.list(*limit).await?;
            print::all(&letters, is_table.then_some(print::LETTERS), &none);
            if !have_more.is_empty() {
                let (noun, services) = (subject.noun, have_more.join(", "));
                eprintln!(
                    "there are more {noun}s ({services}); --limit sets how many of each service are listed"
                );
            }
            Ok(())
        }
        Action::Show { id } => {
            print::one(&admin.show(id).await?, is_table);
            Ok(())
        }
        Action::Replay { ids, all } => {
            let outcomes = if *all {
                admin.replay_all().await?
            } else {
                admin.replay(ids).await?
            };
            print::all(&outcomes, is_table.then_some(print::OUTCOMES), &none);
            all_were_done(&outcomes)
        }
        Action::Discard { ids } => {
            let outcomes = admin.discard(ids).await?;
            print::all(&outcomes, is_table.then_some(print::OUTCOMES), &none);
            all_were_done(&outcomes)
        }
    }
}

fn all_were_done(outcomes: &[Value]) -> Result<(), Failure> {
    let failed = outcomes.iter().filter(|it| it["outcome"] == admin::FAILED);
    let errors: Vec<&str> = failed.filter_map(|it| it["error"].as_str()).collect();
    match &errors[..] {
        [] => Ok(()),
        [error] => Err(Failure::Failed((*error).to_owned())),
        [first, ..] => Err(Failure::Failed(format!(
            "{} of {} failed, the first because {first}",
            errors.len(),
            outcomes.len()
        ))),
    }
}
