//! What a body says of a robot that is made or changed.

use berth_http::rest::{Code, Fields, Refusal};
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
    Ok(RobotPermission {
        kind: text(fields, "kind")?,
        namespace: text(fields, "namespace")?,
        access: fields.objects("access")?.iter().map(access).collect::<Result<_, Refusal>>()?,
    })
}

/// A resource and an action. What is given here is allowed: a right that is not to be had is left out.
fn access(fields: &Fields<'_>) -> Result<(String, String), Refusal> {
    match fields.text("effect")?.unwrap_or_default() {
        "" | "allow" => Ok((text(fields, "resource")?, text(fields, "action")?)),
        _ => Err(Refusal::new(
            Code::Unsupported,
            "effect must be allow or nothing: leave out what the robot may not do",
        )),
    }
}

fn text(fields: &Fields<'_>, name: &str) -> Result<String, Refusal> {
    Ok(fields.text(name)?.unwrap_or_default().to_owned())
}
