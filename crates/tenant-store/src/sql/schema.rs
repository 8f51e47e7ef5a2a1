diesel::table! {
    tenants (id) {
        id -> Text,
        name -> Text,
        pinecone_environment -> Nullable<Text>,
        pinecone_index -> Nullable<Text>,
        pinecone_host -> Nullable<Text>,
        pinecone_api_key -> Nullable<Text>,
        pinecone_api_key_last_four -> Nullable<Text>,
        system_prompt -> Nullable<Text>,
        is_active -> Bool,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        email -> Text,
        password_hash -> Nullable<Text>,
        is_superuser -> Bool,
        is_active -> Bool,
        tenant_id -> Nullable<Text>,
        token_version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    documents (tenant_id, id) {
        tenant_id -> Text,
        id -> Text,
        title -> Text,
        media_type -> Text,
        state -> Text,
        failure -> Nullable<Text>,
        characters -> BigInt,
        chunks -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        text -> Text,
    }
}

diesel::table! {
    crypto_state (kid) {
        kid -> Text,
        canary -> Text,
        kdf -> Text,
        salt -> Nullable<Binary>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

diesel::joinable!(users -> tenants (tenant_id));
diesel::allow_tables_to_appear_in_same_query!(tenants, users);
