//! `cargo xtask cluster`: the cluster of the end-to-end tests, also for people who have no other
//! cluster.

use std::ffi::OsString;
use std::process::Command;

use clap::{Args, Subcommand};
use innkeeper_cluster::cluster::Cluster;
use innkeeper_cluster::progress::Progress;

use crate::Outcome;

/// The arguments of the chore.
#[derive(Args)]
pub struct Arguments {
    /// Which of several clusters is meant
    #[arg(long, default_value = "default")]
    name: String,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Builds what is missing, starts the cluster and says where everything is
    Up,
    /// Ends the cluster and removes every trace of it
    Down,
    /// Says which of its processes run
    Status,
    /// Runs kubectl on it
    #[command(disable_help_flag = true)]
    Kubectl(Words),
    /// Runs Helm on it
    #[command(disable_help_flag = true)]
    Helm(Words),
    /// Runs any command inside the cluster's network, with its KUBECONFIG
    #[command(disable_help_flag = true)]
    Exec(Words),
    /// Makes the image in an OCI archive known to the cluster's node
    Import {
        /// The archive, as `cargo xtask image` writes it
        archive: std::path::PathBuf,
    },
}

/// What is passed on to another program as it is.
#[derive(Args)]
struct Words {
    /// The arguments for that program
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let name = &arguments.name;
    match &arguments.verb {
        Verb::Up => up(name),
        Verb::Down => Ok(Progress::shown().step("everything ends", || Cluster::down(name))?),
        Verb::Status => status(name),
        Verb::Kubectl(words) => pass_on(find_running(name)?.kubectl(), &words.words),
        Verb::Helm(words) => pass_on(find_running(name)?.helm(), &words.words),
        Verb::Exec(words) => exec(&find_running(name)?, &words.words),
        Verb::Import { archive } => Ok(find_running(name)?.import_image(archive)?),
    }
}

fn up(name: &str) -> Outcome {
    let progress = Progress::shown();
    if Cluster::find(name)?.is_some() {
        progress.say(&format!("cluster {name} is already up"));
    }
    let cluster = Cluster::up(name, progress)?;
    println!("KUBECONFIG={}", cluster.kubeconfig().display());
    println!("kafka:      {}", cluster.kafka());
    println!("postgres:   {}", cluster.postgres_url());
    println!("These addresses exist inside the cluster's own network only. Go on with:");
    println!("  cargo xtask cluster kubectl get nodes");
    println!("  cargo xtask cluster exec curl …");
    println!("  cargo xtask cluster down");
    Ok(())
}

fn status(name: &str) -> Outcome {
    let processes = Cluster::list_processes(name)?;
    if processes.is_empty() {
        println!("no cluster named {name}; start it with: cargo xtask cluster up");
        return Ok(());
    }
    for process in processes {
        let state = if process.is_running {
            "running"
        } else {
            "ended"
        };
        println!("{:<24} {:>8} {state}", process.name, process.pid);
    }
    match Cluster::find(name)? {
        Some(cluster) => pass_on(cluster.kubectl(), &["get".into(), "nodes".into()]),
        None => Err("the cluster is not complete; `cargo xtask cluster up` starts it anew".into()),
    }
}

fn find_running(name: &str) -> Result<Cluster, Box<dyn std::error::Error>> {
    Cluster::find(name)?
        .ok_or_else(|| format!("no cluster named {name} is up; run: cargo xtask cluster up").into())
}

fn exec(cluster: &Cluster, words: &[OsString]) -> Outcome {
    let (program, arguments) = words.split_first().ok_or("which command?")?;
    pass_on(cluster.command(program), arguments)
}

/// Replaces this process by the program, whose input, output and exit code are then those of the
/// chore.
fn pass_on(mut command: Command, arguments: &[OsString]) -> Outcome {
    use std::os::unix::process::CommandExt;
    Err(command.args(arguments).exec().into())
}
