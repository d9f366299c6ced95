//! What a body says of a robot that is made or changed.

use berth_http::rest::{Fields, Refusal};
use berth_management::{RobotPermission, WantedRobot};

/// Reads a robot; what is missing is left to the use case.
pub(super) fn read(fields: &Fields<'_>) -> Result<WantedRobot, Refusal> {
    Ok(WantedRobot {
        name: text(fields, "name")?,
        level: text(fields, "level")?,
        description: text(fields, "description")?,
        duration: fields.number("duration")?,
        disabled: fields.flag("disable")?.unwrap_or(false),
        permissions: fields.objects("permissions")?.iter().map(permission).collect::<Result<_, _>>()?,
    })
}

fn permission(fields: &Fields<'_>) -> Result<RobotPermission, Refusal> {
    let pair = |access: &Fields<'_>| Ok((text(access, "resource")?, text(access, "action")?));
    Ok(RobotPermission {
        kind: text(fields, "kind")?,
        namespace: text(fields, "namespace")?,
        access: fields.objects("access")?.iter().map(pair).collect::<Result<_, Refusal>>()?,
    })
}

fn text(fields: &Fields<'_>, name: &str) -> Result<String, Refusal> {
    Ok(fields.text(name)?.unwrap_or_default().to_owned())
}
