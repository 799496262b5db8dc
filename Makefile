# hydra_export: exports tables to S3-compatible stores from inside PostgreSQL.
#
#   make && make install     build and install (PG_CONFIG chooses the server)
#   make unit                the plain C++ part, with GoogleTest
#   make sanitize            the same under ASan and UBSan
#   make fuzz                parsers of external input in the plain part, with libFuzzer
#   make fuzz-sql            random calls of the SQL functions, on a temporary server
#   make lint, make format   warnings as errors under clang++; clang-format
#   make tidy                clang-tidy on the plain part, with the checks in .clang-tidy
#   make coverage            which lines of the plain part the unit tests do not reach; coverage-all: of all, all tests
#   make compile_commands.json                    for editors and clangd
#   make installcheck        on an existing server, see test/lib/installed_server
#   make deb, make dist      Debian packages; the archive for PGXN
#   test/run                 everything, on temporary servers
#   make test-sanitize, test-assert               the extension under sanitizers; a server with assertions
#   make test-swift, test-rgw, test-readers       other stores and readers

EXTENSION = hydra_export
MODULE_big = hydra_export
DATA = $(wildcard sql/hydra_export--*.sql)

SOURCES := $(sort $(wildcard src/*.cpp src/*/*.cpp src/*/*/*.cpp))
OBJS = $(SOURCES:.cpp=.o)

# The version of everything that is built here. The library requires SQL objects of the same version.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'$$/\1/p" hydra_export.control)
VERSION_FLAG = -DHYDRA_VERSION='"$(EXTVERSION)"'

PG_CONFIG ?= pg_config
CXXSTANDARD = -std=c++20

# Compression is optional: each kind is built if pkg-config finds its library.
PKG_CONFIG ?= pkg-config
found = $(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo yes)
ifeq ($(call found,libisal),yes)
OPTIONAL_FLAGS += -DHYDRA_HAVE_ISAL $(shell $(PKG_CONFIG) --cflags-only-I libisal)
OPTIONAL_LIBS += $(shell $(PKG_CONFIG) --libs libisal)
endif
ifeq ($(call found,libzstd),yes)
OPTIONAL_FLAGS += -DHYDRA_HAVE_ZSTD $(shell $(PKG_CONFIG) --cflags-only-I libzstd)
OPTIONAL_LIBS += $(shell $(PKG_CONFIG) --libs libzstd)
endif

# -isystem: the server's headers use `register`, which C++17 dropped.
PG_CPPFLAGS = -isystem $(shell $(PG_CONFIG) --includedir-server) -I$(CURDIR)/src -MMD -MP $(OPTIONAL_FLAGS)
PG_CXXFLAGS = $(CXXSTANDARD) -Wall -Wextra -Wshadow -Wno-missing-field-initializers $(EXTRA_CXXFLAGS)
SHLIB_LINK = -lcurl -lcrypto -ljansson $(OPTIONAL_LIBS) -lstdc++ -Wl,--version-script=$(CURDIR)/src/hydra_export.map

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --encoding=UTF8
ISOLATION = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test
EXTRA_CLEAN = $(SOURCES:.cpp=.d) test/bench/*.o test/bench/*.d test/modules/*.o test/modules/*.d build compile_commands.json

# The bitcode rule ignores PG_CXXFLAGS, so it cannot compile C++20.
override with_llvm = no

# Reports missing dependencies with the name of the Debian package, before the compiler fails.
ifneq ($(filter-out clean distclean dist deb,$(or $(MAKECMDGOALS),all)),)
PG_MAJOR := $(shell $(PG_CONFIG) --version 2>/dev/null | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
ifeq ($(PG_MAJOR),)
$(error There is no "$(PG_CONFIG)". Install the server's development package (on Debian postgresql-server-dev-15), or name another with PG_CONFIG=/path/to/pg_config)
endif
ifneq ($(words $(wildcard $(shell $(PG_CONFIG) --pgxs) $(shell $(PG_CONFIG) --includedir-server)/postgres.h)),2)
$(error "$(PG_CONFIG)" knows no headers of the server. Install its development package (on Debian postgresql-server-dev-$(PG_MAJOR)))
endif
ifneq ($(filter-out installcheck,$(or $(MAKECMDGOALS),all)),)
ifeq ($(shell command -v $(firstword $(CXX))),)
$(error There is no C++ compiler "$(CXX)". Install one that knows C++20 (on Debian g++))
endif
lacks = $(shell printf '\043include <$(1)>\n' | $(CXX) $(CPPFLAGS) -E -x c++ - > /dev/null 2>&1 || echo yes)
require = $(if $(call lacks,$(1)),$(error There is no <$(1)>. Install the development package of $(2) (on Debian $(3))))
$(call require,curl/curl.h,libcurl,libcurl4-openssl-dev)
$(call require,openssl/evp.h,OpenSSL,libssl-dev)
$(call require,jansson.h,jansson,libjansson-dev)
ifeq ($(shell command -v $(PKG_CONFIG)),)
$(info There is no $(PKG_CONFIG), which finds the libraries of gzip and zstd: building without compression)
endif
endif
endif

# An existing server may lack settings that some tests need.
ifneq ($(filter installcheck,$(MAKECMDGOALS)),)
ifeq ($(findstring --temp-instance,$(EXTRA_REGRESS_OPTS)),)
installed_tests = $(shell PSQL='$(shell $(PG_CONFIG) --bindir)/psql' test/lib/installed_server $(1))
REGRESS := $(call installed_tests,regress)
ISOLATION := $(call installed_tests,isolation)
ifeq ($(REGRESS)$(filter command,$(origin REGRESS)),)
$(error "make installcheck" needs a server that psql reaches (PGHOST, PGPORT, PGUSER) and that has the extension. "test/run regress" starts one of its own)
endif
endif
endif

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# A change of flags, for example after a compression library was installed, rebuilds all objects. Goals that do not
# compile them are called without these flags.
ifneq ($(filter all install test-module install-test-module,$(or $(MAKECMDGOALS),all)),)
FLAGS := $(CXX) $(CXXFLAGS) $(CPPFLAGS)
$(shell mkdir -p build && { echo '$(FLAGS)' | cmp -s - build/flags || echo '$(FLAGS)' > build/flags; })
$(OBJS): build/flags
endif

# The server's own C flags ask for warnings that do not exist in C++.
override COMPILER = $(CXX) $(CXXFLAGS)

-include $(SOURCES:.cpp=.d)

NAME_VERSION = src/hydra_export.o src/pg/extension_version.o src/export/s3_connection.o
$(NAME_VERSION): override CPPFLAGS += $(VERSION_FLAG)
$(NAME_VERSION): hydra_export.control

# ---- lines without S3, for tests and benchmarks: the same objects in a module that is never shipped

TEST_MODULE = build/hydra_export_test.so
TEST_OBJS = test/bench/module.o $(filter-out src/hydra_export.o,$(OBJS))

$(TEST_MODULE): $(TEST_OBJS)
	@mkdir -p $(@D)
	$(COMPILER) -shared -o $@ $^ -lcurl -lcrypto -ljansson -lstdc++ -Wl,-Bsymbolic

SCAN_MODULE = build/hydra_export_custom_scan.so

$(SCAN_MODULE): test/modules/custom_scan.o
	@mkdir -p $(@D)
	$(COMPILER) -shared -o $@ $^ -lstdc++

.PHONY: test-module install-test-module
test-module: $(TEST_MODULE) $(SCAN_MODULE)
install-test-module: $(TEST_MODULE) $(SCAN_MODULE)
	$(INSTALL_SHLIB) $^ '$(DESTDIR)$(pkglibdir)/'

-include test/bench/module.d test/modules/custom_scan.d

# ---- the plain C++ part, built without the server's include path

PLAIN := $(sort $(wildcard $(patsubst %,src/%/*.cpp,base bucket calendar json s3 s3/*))) src/change/xid_snapshot.cpp
UNIT := $(sort $(wildcard test/unit/*.cpp))
UNIT_DIR = build/unit
UNIT_OBJS = $(PLAIN:%.cpp=$(UNIT_DIR)/%.o) $(UNIT:%.cpp=$(UNIT_DIR)/%.o)
PLAIN_LIBS = -lcurl -lcrypto -ljansson $(OPTIONAL_LIBS) -lpthread
UNIT_CXXFLAGS = $(CXXSTANDARD) -O1 -g -Wall -Wextra -Wshadow -Werror -Isrc -MMD -MP $(OPTIONAL_FLAGS) $(EXTRA_CXXFLAGS)

$(UNIT_DIR)/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(UNIT_CXXFLAGS) -c $< -o $@

$(UNIT_DIR)/unit_tests: $(UNIT_OBJS)
	$(CXX) $(UNIT_CXXFLAGS) $^ -lgtest -lgtest_main $(PLAIN_LIBS) -o $@

-include $(UNIT_OBJS:.o=.d)

.PHONY: unit sanitize format lint
unit: $(UNIT_DIR)/unit_tests
	$(UNIT_DIR)/unit_tests --gtest_brief=1

build/bench/objects: $(PLAIN:%.cpp=build/unit/%.o) build/unit/test/bench/objects.o
	@mkdir -p $(@D)
	$(CXX) $(UNIT_CXXFLAGS) -O2 $^ $(PLAIN_LIBS) -o $@

SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=all

sanitize:
	$(MAKE) unit UNIT_DIR=build/sanitize EXTRA_CXXFLAGS='$(SANITIZERS) $(EXTRA_CXXFLAGS)'

# ---- coverage: the report names the lines that are not reached; a coverage below the limit is a failure

GCOVR = gcovr --exclude-throw-branches --sort-percentage

.PHONY: coverage coverage-all
coverage:
	@command -v gcovr > /dev/null || { echo 'error: there is no gcovr (on Debian in the package gcovr)'; exit 1; }
	find build -name '*.gcda' -delete
	$(MAKE) unit UNIT_DIR=build/coverage EXTRA_CXXFLAGS='--coverage $(EXTRA_CXXFLAGS)'
	$(GCOVR) --root . $(patsubst %,--filter src/%/,base bucket calendar json s3) --fail-under-line 90 build/coverage

# Servers write their coverage data into the build folder.
coverage-all: COVERAGE_DIR = $(or $(BUILD_DIR),/tmp/hydra_coverage)
coverage-all:
	@command -v gcovr > /dev/null || { echo 'error: there is no gcovr (on Debian in the package gcovr)'; exit 1; }
	for layer in unit regress isolation tap; do \
	  EXTRA_CXXFLAGS=--coverage BUILD_DIR=$(COVERAGE_DIR) test/run $$layer || exit; \
	done
	$(GCOVR) --root $(COVERAGE_DIR)/src --filter $(COVERAGE_DIR)/src/src/ --fail-under-line 85 $(COVERAGE_DIR)/src

# ---- fuzzing: make fuzz SECONDS=300 FUZZ=error_body; what was found goes into build/fuzz/corpus, test/fuzz/seeds stays

FUZZ = $(patsubst test/fuzz/%.cpp,%,$(sort $(wildcard test/fuzz/*.cpp)))
FUZZ_CXX = clang++
FUZZ_CXXFLAGS = $(UNIT_CXXFLAGS) $(SANITIZERS)
FUZZ_OBJS = $(PLAIN:%.cpp=build/fuzz/%.o)

build/fuzz/%.o: %.cpp
	@mkdir -p $(@D)
	$(FUZZ_CXX) $(FUZZ_CXXFLAGS) -fsanitize=fuzzer-no-link -c $< -o $@

$(FUZZ:%=build/fuzz/%): build/fuzz/%: build/fuzz/test/fuzz/%.o $(FUZZ_OBJS)
	$(FUZZ_CXX) $(FUZZ_CXXFLAGS) -fsanitize=fuzzer $^ $(PLAIN_LIBS) -o $@

-include $(FUZZ_OBJS:.o=.d) $(FUZZ:%=build/fuzz/test/fuzz/%.d)

.PHONY: fuzz $(FUZZ:%=fuzz-%)
fuzz: $(FUZZ:%=fuzz-%)

$(FUZZ:%=fuzz-%): fuzz-%: build/fuzz/%
	@mkdir -p build/fuzz/corpus/$*
	build/fuzz/$* -max_total_time=$(or $(SECONDS),20) -timeout=5 -max_len=4096 -print_final_stats=1 \
	  -artifact_prefix=build/fuzz/$*- build/fuzz/corpus/$* test/fuzz/seeds/$*

# ---- random calls of the SQL functions: make fuzz-sql SEED=7 CALLS=10000, also with SANITIZE=1 or ASSERT=1

.PHONY: fuzz-sql
fuzz-sql:
	SEED=$(SEED) CALLS=$(or $(CALLS),10000) test/run tap test/t/056_sql_fuzz.pl

# ---- the torture test: make torture SEED=7 SECONDS=180 MODE=faults (or calm), see test/torture

.PHONY: torture
torture:
	SEED=$(SEED) SECONDS=$(SECONDS) MODE=$(MODE) WRITERS=$(WRITERS) OVERFLOW=$(OVERFLOW) LOOKS=$(LOOKS) \
	  test/run torture

# ---- whole servers under sanitizers, and with assertions, see test/run

.PHONY: test-sanitize test-assert
test-sanitize:
	SANITIZE=1 test/run tap $$(grep -L -e '->restart' test/t/*.pl)

test-assert:
	ASSERT=1 BUILD_DIR=$(or $(BUILD_DIR),/tmp/hydra_assert) test/run

# ---- other stores and readers, see test/conformance

.PHONY: test-swift test-rgw test-readers
test-swift test-readers: test-%:
	test/conformance/run $*

test-rgw:
	test/conformance/run rgw-trixie

# ---- packages: Debian packages in build/deb, PGXN archive of the last commit

.PHONY: deb dist
deb:
	packaging/deb build/deb

dist:
	@mkdir -p build
	git archive --format=zip --prefix=$(EXTENSION)-$(EXTVERSION)/ -o build/$(EXTENSION)-$(EXTVERSION).zip HEAD

# ---- style

CLANG_FORMAT ?= clang-format
FORMATTED := $(sort $(SOURCES) $(wildcard src/*/*.hpp src/*/*/*.hpp test/unit/*.cpp test/unit/*.hpp test/bench/*.cpp \
  test/fuzz/*.cpp test/fuzz/*.hpp))

format:
	$(CLANG_FORMAT) -i $(FORMATTED)

LINT_FLAGS = $(CXXSTANDARD) -fsyntax-only -Wall -Wextra -Wshadow -Werror -Wno-missing-field-initializers

# The build itself is made clean under g++ with EXTRA_CXXFLAGS=-Werror, as test/run does.
.PHONY: lint-format lint-sql lint-version lint-citations lint-g++ lint-clang++
lint: lint-format lint-sql lint-version lint-citations lint-clang++

lint-format:
	$(CLANG_FORMAT) --dry-run --Werror $(FORMATTED)

# The extension's own statements must use pg/spi.cpp, which fixes search_path for them.
lint-sql:
	@! grep -nE '\bSPI_(exec|prepare|cursor)' $(filter-out src/pg/spi.cpp,$(SOURCES)) \
	  || { echo 'error: use pg::query()'; exit 1; }

# ---- clang-tidy and editors

CLANG_TIDY ?= clang-tidy

# Only the plain part, because the server's macros cause too many warnings.
.PHONY: tidy $(PLAIN:%=tidy-%)
tidy: $(PLAIN:%=tidy-%)
$(PLAIN:%=tidy-%): tidy-%:
	$(CLANG_TIDY) --quiet $* -- $(CXXSTANDARD) -Isrc $(OPTIONAL_FLAGS)

comma := ,
compile_command = {"directory": "$(CURDIR)", "file": "$(1)", "command": "$(subst ",\",$(2)) -c $(1)"}
compile_commands = $(foreach file,$(SOURCES),$(call compile_command,$(file),$(COMPILER) $(CPPFLAGS) $(VERSION_FLAG))) \
  $(foreach file,$(UNIT),$(call compile_command,$(file),$(CXX) $(UNIT_CXXFLAGS)))

.PHONY: compile_commands.json
compile_commands.json:
	$(file >$@,[$(subst } {,}$(comma) {,$(strip $(compile_commands)))])
	@echo $@

# Other places with the version: two in META.json, the package's changelog, and the scripts.
lint-version:
	test "$$(grep -c '"version": "$(EXTVERSION)"' META.json)" = 2
	head -n 1 debian/changelog | grep -qF '($(EXTVERSION)-'
	test -e sql/hydra_export--$(EXTVERSION).sql
	grep -q '^/\* hydra_export $(EXTVERSION) \*/$$' sql/hydra_export--$(EXTVERSION).sql

# Checks that headings, tests and files that comments and doc/ name exist.
lint-citations:
	bash test/lib/citations.sh

# A file that passed is looked at again when it, or what it includes, changed.
LINTED_PLAIN = $(UNIT) $(wildcard test/fuzz/*.cpp) test/bench/objects.cpp
LINTED = $(SOURCES) test/bench/module.cpp test/modules/custom_scan.cpp $(LINTED_PLAIN)

define lint_compiler
lint-$(1): $(LINTED:%=build/lint/$(1)/%)
$(LINTED:%=build/lint/$(1)/%): LINT_CPPFLAGS = $(VERSION_FLAG) $(filter-out -MMD -MP,$(PG_CPPFLAGS))
$(LINTED_PLAIN:%=build/lint/$(1)/%): LINT_CPPFLAGS = -Isrc
build/lint/$(1)/%: %
	@mkdir -p $$(@D)
	$(1) $(LINT_FLAGS) $$(LINT_CPPFLAGS) -MMD -MP -MF $$@.d -MT $$@ $$<
	@touch $$@
-include $(LINTED:%=build/lint/$(1)/%.d)
endef
$(foreach compiler,g++ clang++,$(eval $(call lint_compiler,$(compiler))))
