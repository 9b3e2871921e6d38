//! The consumer and the relay, in process, on a real store in a file and a log in memory.

#[cfg(test)]
mod consumer;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod given;
#[cfg(test)]
mod log;
#[cfg(test)]
mod reactor;
#[cfg(test)]
mod relay;
