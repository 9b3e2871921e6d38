//! The calls of Kafka's admin API, which metrics count by name.

/// A call of the admin API.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AdminCall {
    DescribeTopics,
    DescribeConfigs,
    ListOffsets,
    ListTopics,
    CreateTopics,
    CreatePartitions,
    AlterConfigs,
    DeleteTopics,
}

impl AdminCall {
    pub(crate) const ALL: [Self; 8] = [
        Self::DescribeTopics,
        Self::DescribeConfigs,
        Self::ListOffsets,
        Self::ListTopics,
        Self::CreateTopics,
        Self::CreatePartitions,
        Self::AlterConfigs,
        Self::DeleteTopics,
    ];

    /// Name of the call in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::DescribeTopics => "describe_topics",
            Self::DescribeConfigs => "describe_configs",
            Self::ListOffsets => "list_offsets",
            Self::ListTopics => "list_topics",
            Self::CreateTopics => "create_topics",
            Self::CreatePartitions => "create_partitions",
            Self::AlterConfigs => "alter_configs",
            Self::DeleteTopics => "delete_topics",
        }
    }

    /// The right that the call needs, as a remedy:
    /// <https://kafka.apache.org/documentation/#operations_resources_and_protocols>.
    pub(crate) const fn right(self) -> &'static str {
        match self {
            Self::DescribeTopics | Self::ListOffsets | Self::ListTopics => {
                "allow Describe on the topic to the operator's user in Kafka's ACLs"
            }
            Self::DescribeConfigs => {
                "allow DescribeConfigs on the topic to the operator's user in Kafka's ACLs"
            }
            Self::CreateTopics => {
                "allow Create on the topic to the operator's user in Kafka's ACLs"
            }
            Self::CreatePartitions => {
                "allow Alter on the topic to the operator's user in Kafka's ACLs"
            }
            Self::AlterConfigs => {
                "allow AlterConfigs on the topic to the operator's user in Kafka's ACLs"
            }
            Self::DeleteTopics => {
                "allow Delete on the topic to the operator's user in Kafka's ACLs"
            }
        }
    }
}
