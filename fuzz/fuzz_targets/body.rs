//! Bodies of Harbor's REST API: any bytes are read or refused, and no text that is read holds a NUL.
#![no_main]

use berth_http::rest::Fields;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(value) = Fields::parse(body) else { return };
    let Ok(fields) = Fields::of(value.as_ref()) else { return };
    let _ = (fields.number("id"), fields.flag("public"), fields.objects("list"));
    if let Ok(Some(inner)) = fields.object("metadata") {
        let _ = inner.texts();
    }
    if let Ok(Some(text)) = fields.text("name") {
        assert!(!text.contains('\0'));
    }
    if let Ok(texts) = fields.texts() {
        assert!(texts.iter().all(|(name, text)| !name.contains('\0') && !text.contains('\0')));
    }
});
