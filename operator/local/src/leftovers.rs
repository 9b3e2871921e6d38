//! Warnings of what a changed platform leaves behind in its file.

use std::error::Error;

use innkeeper_contracts::ServiceSettings;
use innkeeper_contracts::settings::{Column, Component};
use innkeeper_kit::store::StoreError;
use innkeeper_storage::PlatformFile;

/// Warns of rows whose service is no longer in the platform, and of columns that a view did not
/// have the last time. `all` names every service of the platform, with those that do not run now.
pub async fn warn(
    file: &PlatformFile,
    all: &[String],
    services: impl Iterator<Item = &ServiceSettings>,
) {
    match find_warnings(file, all, services).await {
        Ok(warnings) => warnings
            .iter()
            .for_each(|warning| tracing::warn!("{warning}")),
        Err(error) => {
            let error: &dyn Error = &error;
            tracing::warn!(error, "what the platform leaves behind is not known");
        }
    }
}

async fn find_warnings(
    file: &PlatformFile,
    all: &[String],
    services: impl Iterator<Item = &ServiceSettings>,
) -> Result<Vec<String>, StoreError> {
    let mut warnings = Vec::new();
    for (service, rows) in file.find_rows_of_others(all.to_vec()).await? {
        warnings.push(format!(
            "{rows} rows of {service} stay behind, which the platform no longer has: a service under a new name begins without rows, and its ids at 1"
        ));
    }
    for settings in services {
        let Component::View(view) = &settings.component else {
            continue;
        };
        let service = &settings.service;
        let described = serde_json::to_string(&view.columns).unwrap_or_default();
        let before = file.replace_description(service, described).await?;
        let Some(before) = before.and_then(|it| serde_json::from_str::<Vec<Column>>(&it).ok())
        else {
            continue;
        };
        let new = view.columns.iter().filter(|it| !before.contains(it));
        let new: Vec<&str> = new.map(|column| &*column.name).collect();
        let rows = file.count_rows(service).await?;
        if rows > 0 && !new.is_empty() {
            let names = new.join(", ");
            warnings.push(format!(
                "the {rows} rows of {service} keep what they have in {names}, which is new or has other sources: what happened before is not made up for"
            ));
        }
    }
    Ok(warnings)
}
