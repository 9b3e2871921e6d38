//! Warnings of what a changed platform leaves behind in its file.

use innkeeper_contracts::ServiceSettings;
use innkeeper_contracts::settings::Component;
use innkeeper_kit::store::StoreError;
use innkeeper_storage::PlatformFile;

/// Warns of rows whose service is no longer in the platform, and of columns of views that no row
/// has. `all` names every service of the platform, with those that do not run now.
pub async fn warn(
    file: &PlatformFile,
    all: &[String],
    services: impl Iterator<Item = &ServiceSettings>,
) {
    match warnings(file, all, services).await {
        Ok(warnings) => warnings
            .iter()
            .for_each(|warning| tracing::warn!("{warning}")),
        Err(error) => tracing::warn!(%error, "what the platform leaves behind is not known"),
    }
}

async fn warnings(
    file: &PlatformFile,
    all: &[String],
    services: impl Iterator<Item = &ServiceSettings>,
) -> Result<Vec<String>, StoreError> {
    let mut warnings = Vec::new();
    for (service, rows) in file.rows_of_others(all.to_vec()).await? {
        warnings.push(format!(
            "{rows} rows of {service} stay behind, which the platform no longer has: a service under a new name begins without rows, and its ids at 1"
        ));
    }
    for settings in services {
        let Component::View(view) = &settings.component else {
            continue;
        };
        let columns = view.columns.iter().map(|column| column.name.clone());
        let service = &settings.service;
        for column in file.missing_members(service, columns.collect()).await? {
            warnings.push(format!(
                "no row of {service} has {column} yet: what happened before a column was there is not made up for, and rows of earlier bookings stay null in it"
            ));
        }
    }
    Ok(warnings)
}
