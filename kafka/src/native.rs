//! Calls librdkafka's C API:
//! <https://github.com/confluentinc/librdkafka/blob/v2.12.1/src/rdkafka.h>. Every C object is owned
//! by a [`Native`], which destroys it once. Data that C lends is copied before its owner is
//! destroyed.
#![expect(
    unsafe_code,
    reason = "rdkafka offers no DescribeTopics and no verification of certificates: docs/adr/0008-one-crate-calls-librdkafka.md"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::slice;
use std::time::Duration;

use rdkafka::bindings as c;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::NativeClientConfig;
use rdkafka::error::RDKafkaErrorCode;

use crate::topic::{TopicDescription, TopicRights};
use crate::witness::Witness;

/// How much longer than the request to wait for its answer. The client itself gives up a request
/// after its timeout.
const SLACK: Duration = Duration::from_secs(1);

/// A C object that this value destroys.
struct Native<T> {
    object: NonNull<T>,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Native<T> {
    /// Takes ownership of a new C object; `None` if it is null.
    ///
    /// # Safety
    /// `object` is null, or it is valid and nobody else destroys it, and `destroy` is the function
    /// that destroys it.
    unsafe fn owned(object: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        NonNull::new(object).map(|object| Self { object, destroy })
    }

    const fn as_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }
}

impl<T> Drop for Native<T> {
    fn drop(&mut self) {
        // SAFETY: the caller of `owned` promised that the object is valid, that nobody else
        // destroys it, and that this function destroys it.
        unsafe { (self.destroy)(self.as_ptr()) }
    }
}

/// Asks the brokers about topics, if wanted also what the client may do with them, and returns one
/// answer for each name.
pub fn describe_topics<C: ClientContext>(
    client: &Client<C>,
    names: &[CString],
    with_rights: bool,
    timeout: Duration,
) -> Result<Vec<Result<TopicDescription, RDKafkaErrorCode>>, RDKafkaErrorCode> {
    let event =
        ask(client, names, with_rights, timeout).ok_or(RDKafkaErrorCode::OperationTimedOut)?;
    // SAFETY: the event is valid.
    let code = RDKafkaErrorCode::from(unsafe { c::rd_kafka_event_error(event.as_ptr()) });
    if code != RDKafkaErrorCode::NoError {
        return Err(code);
    }
    // SAFETY: the event is valid, and it owns the result.
    let result = unsafe { c::rd_kafka_event_DescribeTopics_result(event.as_ptr()) };
    if result.is_null() {
        return Err(RDKafkaErrorCode::BadMessage);
    }
    // SAFETY: the result is valid as long as the event.
    let topics = lent(|count| unsafe { c::rd_kafka_DescribeTopics_result_topics(result, count) });
    Ok(topics.iter().map(|topic| description(*topic)).collect())
}

/// Sends the request and waits for the event with its answer; `None` if none arrives in time.
fn ask<C: ClientContext>(
    client: &Client<C>,
    names: &[CString],
    with_rights: bool,
    timeout: Duration,
) -> Option<Native<c::rd_kafka_event_t>> {
    let handle = client.native_ptr();
    let mut names: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: the handle is valid as long as the client, and we own each object. The queue is
    // destroyed after the others except the event, which does not refer to it.
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
    // SAFETY: all four objects are valid, and the call copies what it needs. We own the event that
    // is polled.
    unsafe {
        c::rd_kafka_AdminOptions_set_request_timeout(
            options.as_ptr(),
            millis(timeout),
            ptr::null_mut(),
            0,
        );
        let refused = c::rd_kafka_AdminOptions_set_include_authorized_operations(
            options.as_ptr(),
            c_int::from(with_rights),
        );
        // DescribeTopics takes the option; where it did not, the error would be ours.
        if Native::owned(refused, c::rd_kafka_error_destroy).is_some() {
            return None;
        }
        c::rd_kafka_DescribeTopics(handle, topics.as_ptr(), options.as_ptr(), queue.as_ptr());
        let event = c::rd_kafka_queue_poll(queue.as_ptr(), millis(timeout + SLACK));
        Native::owned(event, c::rd_kafka_event_destroy)
    }
}

/// Id of the cluster, from the last answer of its brokers.
pub fn cluster_id<C: ClientContext>(client: &Client<C>) -> Option<String> {
    let handle = client.native_ptr();
    // SAFETY: the handle is valid. Without a timeout the call returns immediately what the client
    // knows, as a copy that we own.
    let id = unsafe { c::rd_kafka_clusterid(handle, 0) };
    let text = text(id);
    if !id.is_null() {
        // SAFETY: we own the copy, and this is the function that frees it.
        unsafe { c::rd_kafka_mem_free(handle, id.cast()) };
    }
    text
}

/// Has a client with this configuration tell its context, a [`Witness`], of certificates and
/// problems.
pub fn observe(config: &NativeClientConfig) {
    // SAFETY: the configuration is valid and owned by no client yet, and the callbacks live as long
    // as the program.
    unsafe {
        c::rd_kafka_conf_set_ssl_cert_verify_cb(config.ptr(), Some(verify));
        c::rd_kafka_conf_set_log_cb(config.ptr(), Some(hear_log));
    }
}

/// Calls the callbacks that wait.
pub fn serve_callbacks(client: &Client<Witness>) {
    // SAFETY: the client is valid.
    while unsafe { c::rd_kafka_poll(client.native_ptr(), 0) } > 0 {}
}

/// Takes or refuses a certificate as OpenSSL does. A client that verifies nothing takes all.
unsafe extern "C" fn verify(
    _client: *mut c::rd_kafka_t,
    broker: *const c_char,
    _id: i32,
    error: *mut c_int,
    depth: c_int,
    certificate: *const c_char,
    size: usize,
    _said: *mut c_char,
    _room: usize,
    witness: *mut c_void,
) -> c_int {
    // SAFETY: librdkafka gives a valid pointer, which is its own for the time of the call.
    let error = unsafe { *error };
    let der = if certificate.is_null() {
        &[]
    } else {
        // SAFETY: librdkafka gives a certificate of this size, for the time of the call.
        unsafe { slice::from_raw_parts(certificate.cast::<u8>(), size) }
    };
    // SAFETY: `Client::new` has set the client's context, which lives as long as the client.
    let witness = unsafe { &*witness.cast::<Witness>() };
    let broker = text(broker).unwrap_or_default();
    let is_taken = witness.hear_certificate(&broker, error, depth, der);
    c_int::from(is_taken)
}

unsafe extern "C" fn hear_log(
    client: *const c::rd_kafka_t,
    _level: c_int,
    about: *const c_char,
    line: *const c_char,
) {
    // SAFETY: the client is valid. `Client::new` has set its context, which lives as long as it.
    let witness = unsafe { &*c::rd_kafka_opaque(client).cast::<Witness>() };
    if text(about).as_deref() == Some("FAIL") {
        witness.hear_problem(&text(line).unwrap_or_default());
    }
}

fn description(
    topic: *const c::rd_kafka_TopicDescription_t,
) -> Result<TopicDescription, RDKafkaErrorCode> {
    if topic.is_null() {
        return Err(RDKafkaErrorCode::BadMessage);
    }
    // SAFETY: the description is valid as long as its event, which also owns the error, if there is
    // one.
    let code = unsafe {
        let error = c::rd_kafka_TopicDescription_error(topic);
        c::rd_kafka_error_code(error)
    };
    let code = RDKafkaErrorCode::from(code);
    if code != RDKafkaErrorCode::NoError {
        return Err(code);
    }
    // SAFETY: the description and its parts are valid as long as its event.
    let partitions = lent(|count| unsafe { c::rd_kafka_TopicDescription_partitions(topic, count) });
    let replication = partitions.first().map_or(0, |partition| {
        // SAFETY: the partition is a part of the description.
        lent(|count| unsafe { c::rd_kafka_TopicPartitionInfo_replicas(*partition, count) }).len()
    });
    Ok(TopicDescription {
        topic_id: topic_id(topic),
        partitions: partitions.len(),
        replication,
        rights: rights(topic),
    })
}

fn rights(topic: *const c::rd_kafka_TopicDescription_t) -> Option<TopicRights> {
    // SAFETY: the description is valid as long as its event, which also owns the operations.
    let allowed = lent(|count| unsafe {
        c::rd_kafka_TopicDescription_authorized_operations(topic, count).cast_mut()
    });
    (!allowed.is_empty()).then(|| TopicRights {
        read: allowed.contains(&c::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_READ),
        write: allowed.contains(&c::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_WRITE),
    })
}

/// Id of a topic as Kafka's own tools write it: base64 with the alphabet for URLs. Brokers without
/// ids answer with zeros.
fn topic_id(topic: *const c::rd_kafka_TopicDescription_t) -> Option<String> {
    // SAFETY: the description is valid as long as its event, which also owns the id and its text.
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

/// A list that C lends, from a call that returns the first item and the number of items.
fn lent<'a, T>(call: impl FnOnce(*mut usize) -> *mut T) -> &'a [T] {
    let mut count = 0;
    let first = call(&raw mut count);
    if first.is_null() {
        return &[];
    }
    // SAFETY: C promises that so many items begin there. They are valid as long as the event, which
    // every caller keeps.
    unsafe { slice::from_raw_parts(first, count) }
}

fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: C terminates every text with a zero.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

fn millis(duration: Duration) -> c_int {
    c_int::try_from(duration.as_millis()).unwrap_or(c_int::MAX)
}
