//! A program for the cluster's own tests, which serves or connects from inside a pod.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// What the server sends on every connection.
const GREETING: &[u8] = b"hello from the pod";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["serve", address] => serve(address),
        ["read", address] => read(address),
        ["connect", addresses @ ..] => addresses.iter().try_for_each(|address| connect(address)),
        _ => Err("usage: probe serve ADDRESS | read ADDRESS | connect ADDRESS…".into()),
    }
}

fn serve(address: &str) -> Result<(), Box<dyn Error>> {
    for connection in TcpListener::bind(address)?.incoming() {
        // A client that leaves early, such as a readiness check, must not end the server.
        let _ = connection?.write_all(GREETING);
    }
    Ok(())
}

fn read(address: &str) -> Result<(), Box<dyn Error>> {
    let mut said = String::new();
    TcpStream::connect(address)?.read_to_string(&mut said)?;
    println!("{said}");
    Ok(())
}

fn connect(address: &str) -> Result<(), Box<dyn Error>> {
    TcpStream::connect(address)?;
    println!("connected to {address}");
    Ok(())
}
