-- Errors on their way through C++.
CREATE FUNCTION error_without_memory() RETURNS text
    AS 'hydra_export_test', 'hydra_test_error_without_memory' LANGUAGE C STRICT;

-- Copying an error needs memory. If there is none, that failure is caught instead of the error.
SELECT error_without_memory();
SELECT error_without_memory();
DROP FUNCTION error_without_memory;
