//! Each component's routes and reactions, in process, on a store in memory.

#[cfg(test)]
mod booking;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod given;
#[cfg(test)]
mod others;
