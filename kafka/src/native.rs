//! The calls of librdkafka's C API: <https://github.com/confluentinc/librdkafka/blob/v2.12.1/src/rdkafka.h>.
//! Each object of C is owned by a [`Native`], which destroys it once, and whatever C lends is copied before its owner goes.
#![expect(
    unsafe_code,
    reason = "rdkafka offers no DescribeTopics: docs/adr/0008-one-crate-calls-librdkafka.md"
)]

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{self, NonNull};
use std::slice;
use std::time::Duration;

use rdkafka::bindings as c;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;

use crate::describe::TopicDescription;

/// How much longer than the request an answer may take: the client itself gives a request up.
const SLACK: Duration = Duration::from_secs(1);

/// An object of C that is ours to destroy.
struct Native<T> {
    object: NonNull<T>,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Native<T> {
    /// Takes what C has just made; `None` when it made nothing.
    ///
    /// # Safety
    /// `object` is null, or valid and nobody else's to destroy, and `destroy` is the function that destroys it.
    unsafe fn owned(object: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        NonNull::new(object).map(|object| Self { object, destroy })
    }

    const fn as_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }
}

impl<T> Drop for Native<T> {
    fn drop(&mut self) {
        // SAFETY: `owned` was promised that the object is valid, ours alone, and destroyed by this function.
        unsafe { (self.destroy)(self.as_ptr()) }
    }
}

/// What the brokers say of topics, one answer for each name.
pub fn describe_topics<C: ClientContext>(
    client: &Client<C>,
    names: &[CString],
    timeout: Duration,
) -> Result<Vec<Result<TopicDescription, RDKafkaErrorCode>>, RDKafkaErrorCode> {
    let event = ask(client, names, timeout).ok_or(RDKafkaErrorCode::OperationTimedOut)?;
    // SAFETY: the event is valid.
    let code = RDKafkaErrorCode::from(unsafe { c::rd_kafka_event_error(event.as_ptr()) });
    if code != RDKafkaErrorCode::NoError {
        return Err(code);
    }
    // SAFETY: the event is valid, and the result is a part of it.
    let result = unsafe { c::rd_kafka_event_DescribeTopics_result(event.as_ptr()) };
    if result.is_null() {
        return Err(RDKafkaErrorCode::BadMessage);
    }
    // SAFETY: the result is valid while the event is.
    let topics = lent(|count| unsafe { c::rd_kafka_DescribeTopics_result_topics(result, count) });
    Ok(topics.iter().map(|topic| description(*topic)).collect())
}

/// Sends the question and waits for the event that answers it; `None` when none came in time.
fn ask<C: ClientContext>(
    client: &Client<C>,
    names: &[CString],
    timeout: Duration,
) -> Option<Native<c::rd_kafka_event_t>> {
    let handle = client.native_ptr();
    let mut names: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: the handle is valid as long as the client, and each object is made for us to destroy. Their order makes the
    // queue go last but for the event, which holds no part of it.
    let (queue, options, topics) = unsafe {
        let queue = c::rd_kafka_queue_new(handle);
        let operation = c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
        let options = c::rd_kafka_AdminOptions_new(handle, operation);
        let topics = c::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        (
            Native::owned(queue, c::rd_kafka_queue_destroy)?,
            Native::owned(options, c::rd_kafka_AdminOptions_destroy)?,
            Native::owned(topics, c::rd_kafka_TopicCollection_destroy)?,
        )
    };
    // SAFETY: all four are valid; the call copies what it needs. The event that is polled is ours to destroy.
    unsafe {
        c::rd_kafka_AdminOptions_set_request_timeout(
            options.as_ptr(),
            millis(timeout),
            ptr::null_mut(),
            0,
        );
        c::rd_kafka_DescribeTopics(handle, topics.as_ptr(), options.as_ptr(), queue.as_ptr());
        let event = c::rd_kafka_queue_poll(queue.as_ptr(), millis(timeout + SLACK));
        Native::owned(event, c::rd_kafka_event_destroy)
    }
}

/// The cluster's id, as the last answer of its brokers had it.
pub fn cluster_id<C: ClientContext>(client: &Client<C>) -> Option<String> {
    let handle = client.native_ptr();
    // SAFETY: the handle is valid; without a timeout the call answers at once from what it knows, with a copy for us.
    let id = unsafe { c::rd_kafka_clusterid(handle, 0) };
    let text = text(id);
    if !id.is_null() {
        // SAFETY: the copy is ours, and this is the function that frees it.
        unsafe { c::rd_kafka_mem_free(handle, id.cast()) };
    }
    text
}

fn description(
    topic: *const c::rd_kafka_TopicDescription_t,
) -> Result<TopicDescription, RDKafkaErrorCode> {
    if topic.is_null() {
        return Err(RDKafkaErrorCode::BadMessage);
    }
    // SAFETY: the description is valid while its event is; the error, if there is one, is a part of it.
    let code = unsafe {
        let error = c::rd_kafka_TopicDescription_error(topic);
        c::rd_kafka_error_code(error)
    };
    let code = RDKafkaErrorCode::from(code);
    if code != RDKafkaErrorCode::NoError {
        return Err(code);
    }
    // SAFETY: the description is valid while its event is, and so are its parts.
    let partitions = lent(|count| unsafe { c::rd_kafka_TopicDescription_partitions(topic, count) });
    let replication = partitions.first().map_or(0, |partition| {
        // SAFETY: the partition is a part of the description.
        lent(|count| unsafe { c::rd_kafka_TopicPartitionInfo_replicas(*partition, count) }).len()
    });
    Ok(TopicDescription {
        topic_id: topic_id(topic),
        partitions: partitions.len(),
        replication,
    })
}

/// The id as Kafka's own tools write it: base64 with the alphabet for URLs. Brokers without ids answer with zeros.
fn topic_id(topic: *const c::rd_kafka_TopicDescription_t) -> Option<String> {
    // SAFETY: the description is valid while its event is, and the id and its text are parts of it.
    unsafe {
        let id = c::rd_kafka_TopicDescription_topic_id(topic);
        let is_zero = id.is_null()
            || (c::rd_kafka_Uuid_most_significant_bits(id) == 0
                && c::rd_kafka_Uuid_least_significant_bits(id) == 0);
        if is_zero {
            return None;
        }
        text(c::rd_kafka_Uuid_base64str(id)).map(|id| id.replace('+', "-").replace('/', "_"))
    }
}

/// A list that C lends: a call that returns its first item and tells how many there are.
fn lent<'a, T>(call: impl FnOnce(*mut usize) -> *mut T) -> &'a [T] {
    let mut count = 0;
    let first = call(&raw mut count);
    if first.is_null() {
        return &[];
    }
    // SAFETY: C says that so many items begin there, and lends them as long as the event lives, which every caller holds.
    unsafe { slice::from_raw_parts(first, count) }
}

fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: C ends every text with a zero.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

fn millis(duration: Duration) -> c_int {
    c_int::try_from(duration.as_millis()).unwrap_or(c_int::MAX)
}
