DROP TABLE erased_tenants;
DROP TABLE tenant_erasures;
DROP TABLE tenant_imports;
