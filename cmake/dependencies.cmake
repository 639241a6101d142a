# Third-party libraries, one imported target each. pkg-config throughout: the CMake package
# files that Debian ships for xgboost and civetweb do not work.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

foreach(entry
    yaml=yaml-0.1 cjson=libcjson sqlite=sqlite3 crypto=libcrypto ssl=libssl curl=libcurl
    pcre=libpcre2-8 zlib=zlib zstd=libzstd zip=libzip xxhash=libxxhash rdkafka=rdkafka
    xgboost=xgboost hiredis=hiredis cairo=cairo pango=pangocairo ncurses=ncursesw)
  string(REPLACE "=" ";" entry ${entry})
  list(GET entry 0 name)
  list(GET entry 1 module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET GLOBAL ${module})
endforeach()

# Headers of libraries that are loaded when a command needs them (engine/base/shared_library.h).
foreach(name xgboost cairo pango)
  add_library(${name}_headers INTERFACE)
  target_include_directories(${name}_headers SYSTEM INTERFACE ${${name}_INCLUDE_DIRS})
endforeach()

# civetweb: Debian's binary package cannot serve TLS with OpenSSL 3, so packaging/civetweb
# builds its source package into a prefix of the user's; see packaging/README.md.
set(BINNACLE_DEPS "$ENV{HOME}/.cache/binnacle/deps" CACHE PATH "Prefix with our civetweb build")
find_library(CIVETWEB_ARCHIVE NAMES libbinnacle-civetweb.a PATHS ${BINNACLE_DEPS}/lib NO_DEFAULT_PATH REQUIRED)
find_path(CIVETWEB_HEADERS civetweb_detach.h PATHS ${BINNACLE_DEPS}/include NO_DEFAULT_PATH REQUIRED)
# Imported as a static library, so that what it needs comes after it on the link line.
add_library(civetweb STATIC IMPORTED GLOBAL)
set_target_properties(civetweb PROPERTIES IMPORTED_LOCATION ${CIVETWEB_ARCHIVE})
target_include_directories(civetweb SYSTEM INTERFACE ${CIVETWEB_HEADERS})
target_link_libraries(civetweb INTERFACE PkgConfig::ssl PkgConfig::crypto PkgConfig::zlib
  Threads::Threads ${CMAKE_DL_LIBS})

# The page: uPlot draws its charts, esbuild makes one file of its modules; see packaging/uplot.
set(UPLOT_VERSION 1.6.32)
find_path(UPLOT_FOLDER uPlot.js PATHS ${BINNACLE_DEPS}/share/uplot-${UPLOT_VERSION} NO_DEFAULT_PATH)
if(NOT UPLOT_FOLDER)
  message(FATAL_ERROR "uPlot ${UPLOT_VERSION} is not in ${BINNACLE_DEPS}: packaging/uplot fetches it")
endif()
find_program(ESBUILD esbuild REQUIRED)

# Debian's package has neither a pkg-config nor a CMake file.
find_library(HTTP_PARSER_LIBRARY NAMES http_parser REQUIRED)
find_path(HTTP_PARSER_INCLUDE http_parser.h REQUIRED)
add_library(http_parser UNKNOWN IMPORTED GLOBAL)
set_target_properties(http_parser PROPERTIES IMPORTED_LOCATION ${HTTP_PARSER_LIBRARY})
target_include_directories(http_parser SYSTEM INTERFACE ${HTTP_PARSER_INCLUDE})
