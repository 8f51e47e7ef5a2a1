use actix_web::HttpResponse;
use actix_web::http::header;

/// A page that loads nothing from elsewhere; `NONCE` stands where its inline style and script name theirs.
pub(super) fn page(template: &str) -> HttpResponse {
    let mut bytes = [0; 16];
    // The page is the same for everybody and shows nothing that was sent, so a predictable nonce would do no harm.
    let _ = getrandom::fill(&mut bytes);
    let nonce = format!("{:032x}", u128::from_be_bytes(bytes));
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HttpResponse::Ok()
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .content_type("text/html; charset=utf-8")
        .body(template.replace("NONCE", &nonce))
}
