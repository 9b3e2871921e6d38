//! The real program from outside: processes, signals, sockets and files, as a user has them.
//! With the feature `services` also on a real Kafka and a real PostgreSQL, and in a real browser.

#[cfg(test)]
#[cfg(feature = "services")]
mod browser;
#[cfg(test)]
mod burgerqueen;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod files;
#[cfg(test)]
mod http;
#[cfg(test)]
#[cfg(feature = "services")]
mod ipv6;
#[cfg(test)]
#[cfg(feature = "services")]
mod kafka_security;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
#[cfg(feature = "services")]
mod load_on_kafka;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod platform;
#[cfg(test)]
mod process;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod saga;
#[cfg(test)]
mod secrets;
#[cfg(test)]
#[cfg(feature = "services")]
mod tls;
#[cfg(test)]
mod values;
#[cfg(test)]
mod variants;
