//! `POST /robots`.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use berth_http::rest::{Fields, location, time};
use berth_management::MadeRobot;
use serde::Serialize;

use super::view::ends;
use super::wanted;
use crate::answer;
use crate::call::Call;
use crate::error::Error;

#[derive(Debug, Serialize)]
struct MadeView<'a> {
    id: i64,
    name: &'a str,
    secret: &'a str,
    creation_time: String,
    expires_at: i64,
}

/// Makes a robot and tells its secret, once.
pub(crate) async fn create(call: &Call<'_>) -> Result<Response, Error> {
    let body = call.json()?;
    let wanted = wanted::read(&Fields::of(body.as_ref())?)?;
    let made = call.management.create_robot(&wanted).await?;
    let mut answer = answer::with_json(StatusCode::CREATED, &MadeView::from(&made));
    let location = location(call.parts.uri.path(), &made.page.robot.id.0);
    // The path of the request and a number.
    if let Ok(location) = HeaderValue::try_from(location) {
        answer.headers_mut().insert(LOCATION, location);
    }
    Ok(answer)
}

impl<'a> From<&'a MadeRobot> for MadeView<'a> {
    fn from(MadeRobot { page, secret }: &'a MadeRobot) -> Self {
        Self {
            id: page.robot.id.0,
            name: &page.name,
            secret: secret.reveal(),
            creation_time: time(page.robot.created_at),
            expires_at: ends(&page.robot),
        }
    }
}
