/* hydra_export 0.1.0 to 0.2.0 */
\echo Use "ALTER EXTENSION hydra_export UPDATE TO '0.2.0'" to load this file. \quit
