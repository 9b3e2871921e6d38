//! The car rental example in one process, on free ports, with its data in a temporary folder.

use std::error::Error;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::usage;

/// How long the first 201 may take.
const START_WITHIN: Duration = Duration::from_secs(30);

/// Most rows of the view on one page.
pub const PAGE: usize = 1000;
/// How long the work of a load may go on after its last answer.
const IDLE_WITHIN: Duration = Duration::from_mins(1);
/// The process is idle when it uses less than a twentieth of one processor for so long.
const IDLE_WINDOW: Duration = Duration::from_millis(400);

/// The platform that is measured.
pub struct Platform {
    child: Child,
    /// Address of its gateway.
    pub gateway: String,
    data: PathBuf,
    agent: ureq::Agent,
}

impl Platform {
    /// Starts the platform; also returns the time until the first 201.
    pub fn start(binary: &Path, folder: &Path) -> Result<(Self, Duration), Box<dyn Error>> {
        let file = folder.join("rentcar.yaml");
        let port = write_with_free_ports(&file)?;
        let data = folder.join("data");
        let began = Instant::now();
        let child = Command::new(binary)
            .arg("dev")
            .arg(&file)
            .args(["--admin-port", "0", "--data"])
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let gateway = format!("http://127.0.0.1:{port}");
        let platform = Self {
            child,
            gateway,
            data,
            agent: ureq::Agent::new_with_defaults(),
        };
        while platform.reserve().is_err() {
            if began.elapsed() > START_WITHIN {
                return Err("innkeeper dev does not answer".into());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok((platform, began.elapsed()))
    }

    /// Posts a reservation and returns its id.
    pub fn reserve(&self) -> Result<i64, Box<dyn Error>> {
        let url = format!("{}/reservations", self.gateway);
        let mut answer = self.agent.post(&url).send_json(reservation())?;
        let body: Value = answer.body_mut().read_json()?;
        body["id"]
            .as_i64()
            .ok_or_else(|| "the answer has no id".into())
    }

    /// Fetches up to [`PAGE`] rows of the view, those that follow an id.
    pub fn fetch_view_after(&self, id: i64) -> Result<Vec<Value>, Box<dyn Error>> {
        let url = format!("{}/myReservations?after={id}&size={PAGE}", self.gateway);
        let body: Value = self.agent.get(&url).call()?.body_mut().read_json()?;
        Ok(body["_embedded"]["myReservations"]
            .as_array()
            .cloned()
            .unwrap_or_default())
    }

    /// Waits until the process has nothing left to do.
    pub fn wait_until_idle(&self) -> Result<(), Box<dyn Error>> {
        let began = Instant::now();
        let mut used = self.read_cpu_time()?;
        while began.elapsed() < IDLE_WITHIN {
            thread::sleep(IDLE_WINDOW);
            let before = used;
            used = self.read_cpu_time()?;
            if used.saturating_sub(before) <= IDLE_WINDOW / 20 {
                return Ok(());
            }
        }
        Err(format!("innkeeper dev is still busy {IDLE_WITHIN:?} after its load").into())
    }

    /// Processor time that the process has used, user and system.
    pub fn read_cpu_time(&self) -> Result<Duration, Box<dyn Error>> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        usage::cpu_time(&stat).ok_or_else(|| "/proc tells no processor time".into())
    }

    /// Bytes on disk of the data folder.
    pub fn read_disk_bytes(&self) -> Result<u64, Box<dyn Error>> {
        Ok(usage::disk_bytes(&self.data)?)
    }

    /// Resident memory of the process, in MB.
    pub fn read_resident_megabytes(&self) -> Result<f64, Box<dyn Error>> {
        self.read_status_megabytes("VmRSS:")
    }

    /// Peak resident memory of the process, in MB.
    pub fn read_peak_megabytes(&self) -> Result<f64, Box<dyn Error>> {
        self.read_status_megabytes("VmHWM:")
    }

    /// Stops the platform, and fails if it does not end cleanly.
    pub fn stop(mut self) -> Result<(), Box<dyn Error>> {
        let terminated = Command::new("kill")
            .arg(self.child.id().to_string())
            .status()?;
        let ended = self.child.wait()?;
        if terminated.success() && ended.success() {
            Ok(())
        } else {
            Err(format!("it ended with {ended}").into())
        }
    }

    fn read_status_megabytes(&self, field: &str) -> Result<f64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        usage::megabytes(&status, field).ok_or_else(|| format!("/proc tells no {field}").into())
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // The process has already ended if it was stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The reservation of the documentation.
pub fn reservation() -> Value {
    json!({ "userName": "kim", "userHp": "010-1234-5678", "carId": "7", "period": "3", "price": "50000" })
}

/// Writes the example with free ports, and returns the port of the gateway.
fn write_with_free_ports(file: &Path) -> Result<u16, Box<dyn Error>> {
    let mut platform: Value = serde_yaml::from_str(&fs::read_to_string("examples/rentcar.yaml")?)?;
    let services = platform["spec"]["services"]
        .as_array_mut()
        .ok_or("the example has no services")?;
    let mut gateway = 0;
    for service in services {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        service["dev"] = json!({ "port": port });
        if service["name"] == "gateway" {
            gateway = port;
        }
    }
    fs::write(file, serde_yaml::to_string(&platform)?)?;
    Ok(gateway)
}
