//! The only binary: the operator, every service, the development executor, and the offline
//! commands. It only reads arguments and files and hands them on; decisions are made in other
//! crates. Start reading at [`Command`]; each command has a file of its own.

mod cluster;
mod commands;
mod crash;
mod exit;
mod files;
mod logging;
mod process;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{dead_letters, dev, operator, plan, serve, validate};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs booking platforms: on Kubernetes as an operator, or on this machine in one process.
#[derive(Parser)]
#[command(name = "innkeeper", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How logs are written.
    #[arg(long, global = true, value_enum, default_value_t = logging::Format::Text)]
    log: logging::Format,
}

#[derive(Subcommand)]
enum Command {
    /// Run platforms on this machine in one process, without cluster, broker or database server.
    Dev(dev::Arguments),
    /// Check platform files as a cluster would, offline.
    Validate(validate::Arguments),
    /// Print the Kubernetes objects that platform files would become, offline.
    Plan(plan::Arguments),
    /// Run one service, as in a pod.
    Serve(serve::Arguments),
    /// List, show, replay or discard the records that a running service could not handle.
    DeadLetters(dead_letters::Arguments),
    /// List, show, replay or discard the events of a running service that its log has refused.
    ParkedEvents(dead_letters::Arguments),
    /// Look after the platforms of a Kubernetes cluster, as the chart's Deployment does.
    Operator(operator::Arguments),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return exit::usage(&error),
    };
    logging::start(arguments.log);
    let outcome = match arguments.command {
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::DeadLetters(arguments) => {
            dead_letters::run(&arguments, &dead_letters::DEAD_LETTERS)
        }
        Command::ParkedEvents(arguments) => {
            dead_letters::run(&arguments, &dead_letters::PARKED_EVENTS)
        }
        Command::Operator(arguments) => operator::run(arguments),
    };
    exit::code(outcome)
}
