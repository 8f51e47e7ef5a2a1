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
        pinecone_external_namespace -> Nullable<Text>,
        pinecone_external_text_field -> Nullable<Text>,
        search_k -> Nullable<Float>,
        search_dense_weight -> Nullable<Float>,
        search_lexical_weight -> Nullable<Float>,
        search_min_score -> Nullable<Float>,
        chat -> Text,
        llm_base_url -> Nullable<Text>,
        llm_api_key -> Nullable<Text>,
        llm_api_key_last_four -> Nullable<Text>,
        ingesters -> Text,
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
        role -> Text,
        sessions_ended_at -> Nullable<Timestamp>,
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
        external_id -> Nullable<Text>,
        metadata -> Text,
        content_hash -> Nullable<Binary>,
        version -> BigInt,
        latest_version -> BigInt,
        text_format -> Text,
        segments -> BigInt,
    }
}

diesel::table! {
    document_segments (tenant_id, document_id, version, ordinal) {
        tenant_id -> Text,
        document_id -> Text,
        version -> BigInt,
        ordinal -> BigInt,
        start -> BigInt,
        headings -> Text,
        pages -> Text,
        text -> Text,
    }
}

diesel::table! {
    source_parts (tenant_id, source_id, place) {
        tenant_id -> Text,
        source_id -> Text,
        place -> BigInt,
        added_at -> BigInt,
        bytes -> Binary,
    }
}

diesel::table! {
    jobs (tenant_id, id) {
        tenant_id -> Text,
        id -> Text,
        document_id -> Text,
        version -> BigInt,
        kind -> Text,
        state -> Text,
        stage -> Text,
        segments_done -> BigInt,
        segments -> BigInt,
        chunks -> BigInt,
        reused -> BigInt,
        characters -> BigInt,
        reason -> Nullable<Text>,
        attempts -> BigInt,
        not_before -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        begun -> Bool,
        cancel_requested -> Bool,
        lease_token -> Nullable<Text>,
        lease_until -> Nullable<BigInt>,
        source_id -> Nullable<Text>,
        content_hash -> Nullable<Binary>,
        given_title -> Nullable<Text>,
        file_name -> Nullable<Text>,
        declared -> Nullable<Text>,
        metadata -> Nullable<Text>,
        text_read -> Nullable<Text>,
    }
}

diesel::table! {
    ingest_queue (tenant_id) {
        tenant_id -> Text,
        served_at -> BigInt,
        due_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    indexes (tenant_id, generation) {
        tenant_id -> Text,
        generation -> BigInt,
        provider -> Nullable<Text>,
        model -> Nullable<Text>,
        dimension -> Nullable<BigInt>,
        state -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    conversations (tenant_id, id) {
        tenant_id -> Text,
        id -> Text,
        owner_id -> Text,
        title -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        next_ordinal -> BigInt,
    }
}

diesel::table! {
    messages (tenant_id, conversation_id, ordinal) {
        tenant_id -> Text,
        conversation_id -> Text,
        ordinal -> BigInt,
        id -> Text,
        role -> Text,
        status -> Text,
        model -> Nullable<Text>,
        prompt_tokens -> Nullable<BigInt>,
        completion_tokens -> Nullable<BigInt>,
        usage_estimated -> Nullable<Bool>,
        created_at -> BigInt,
        text -> Text,
        citations -> Text,
    }
}

diesel::table! {
    system_prompts (tenant_id, number) {
        tenant_id -> Text,
        number -> BigInt,
        author -> Nullable<Text>,
        created_at -> BigInt,
        text -> Nullable<Text>,
    }
}

diesel::table! {
    usage_by_day (tenant_id, day, user_id, kind, model) {
        tenant_id -> Text,
        day -> BigInt,
        user_id -> Text,
        kind -> Text,
        model -> Text,
        calls -> BigInt,
        estimated_calls -> BigInt,
        prompt_tokens -> BigInt,
        completion_tokens -> BigInt,
    }
}

diesel::table! {
    audit_log (tenant_id, number) {
        tenant_id -> Text,
        number -> BigInt,
        done_at -> BigInt,
        actor_kind -> Text,
        actor_id -> Nullable<Text>,
        address -> Nullable<Text>,
        request_id -> Nullable<Text>,
        action -> Text,
        target_kind -> Nullable<Text>,
        target_id -> Nullable<Text>,
        details -> Text,
        previous_hash -> Binary,
        hash -> Binary,
    }
}

diesel::table! {
    audit_heads (tenant_id) {
        tenant_id -> Text,
        number -> BigInt,
        hash -> Binary,
    }
}

diesel::table! {
    api_keys (tenant_id, id) {
        tenant_id -> Text,
        id -> Text,
        secret_hash -> Binary,
        name -> Text,
        prefix -> Text,
        permissions -> Text,
        created_by -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        used_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        replaced_by -> Nullable<Text>,
    }
}

diesel::table! {
    identity_providers (tenant_id, id) {
        tenant_id -> Text,
        id -> Text,
        name -> Text,
        issuer -> Text,
        audience -> Text,
        email_claim -> Text,
        tenant_claim -> Text,
        tenant_value -> Text,
        role_claim -> Nullable<Text>,
        roles -> Text,
        default_role -> Text,
        creates_users -> Bool,
        is_active -> Bool,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    identities (tenant_id, provider_id, subject) {
        tenant_id -> Text,
        provider_id -> Text,
        subject -> Text,
        user_id -> Text,
        linked_at -> BigInt,
    }
}

diesel::table! {
    tenant_imports (tenant_id) {
        tenant_id -> Text,
        begun_at -> BigInt,
    }
}

diesel::table! {
    tenant_erasures (tenant_id) {
        tenant_id -> Text,
        removed -> Text,
    }
}

diesel::table! {
    erased_tenants (id_hash) {
        id_hash -> Binary,
        number -> BigInt,
        erased_at -> BigInt,
        actor_kind -> Text,
        actor_id -> Nullable<Text>,
        removed -> Text,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        user_id -> Text,
        token_version -> BigInt,
        method -> Text,
        client -> Nullable<Text>,
        address -> Nullable<Text>,
        created_at -> BigInt,
        used_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    refresh_tokens (hash) {
        hash -> Binary,
        session_id -> Text,
        is_used -> Bool,
    }
}

diesel::table! {
    password_resets (user_id) {
        user_id -> Text,
        secret -> Binary,
        expires_at -> BigInt,
    }
}

diesel::table! {
    login_throttle (key) {
        key -> Binary,
        failures -> BigInt,
        last_at -> BigInt,
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
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(password_resets -> users (user_id));
diesel::joinable!(ingest_queue -> tenants (tenant_id));
diesel::joinable!(indexes -> tenants (tenant_id));
diesel::joinable!(api_keys -> tenants (tenant_id));
diesel::joinable!(identity_providers -> tenants (tenant_id));
diesel::allow_tables_to_appear_in_same_query!(sessions, tenants, users);
diesel::allow_tables_to_appear_in_same_query!(password_resets, users);
diesel::allow_tables_to_appear_in_same_query!(tenants, ingest_queue);
diesel::allow_tables_to_appear_in_same_query!(tenants, indexes);
diesel::allow_tables_to_appear_in_same_query!(tenants, api_keys);
diesel::allow_tables_to_appear_in_same_query!(tenants, identity_providers);
diesel::allow_tables_to_appear_in_same_query!(source_parts, jobs);
diesel::allow_tables_to_appear_in_same_query!(conversations, messages);
