-- Errors on their way through C++.
CREATE FUNCTION error_without_memory() RETURNS text
    AS 'hydra_export_test', 'hydra_test_error_without_memory' LANGUAGE C STRICT;

-- To copy an error takes memory. Where there is none, that is what is caught, where the error would have been.
SELECT error_without_memory();
SELECT error_without_memory();
DROP FUNCTION error_without_memory;
