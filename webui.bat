@echo off
rem Starts Easel; the first start sets everything up.
rem
rem   webui.bat [arguments of webui.py]
rem   webui.bat test [arguments of pytest]
rem
rem PYTHON, VENV_DIR, COMMANDLINE_ARGS, TORCH_COMMAND and TORCH_INDEX_URL mean what webui.sh says;
rem set them in webui-user.bat beside this file.
setlocal EnableExtensions
cd /d "%~dp0"
if exist webui-user.bat call webui-user.bat
if not defined VENV_DIR set "VENV_DIR=.venv"
set "VENV_PYTHON=%VENV_DIR%\Scripts\python.exe"

"%VENV_PYTHON%" -c "import pip" >nul 2>&1
if not errorlevel 1 goto install

if defined PYTHON goto have_python
for %%V in (3.12 3.11 3.13) do (
    if not defined PYTHON (
        py -%%V -c "" >nul 2>&1 && set "PYTHON=py -%%V"
    )
)
if not defined PYTHON set "PYTHON=python"
:have_python
%PYTHON% -c "" >nul 2>&1
if errorlevel 1 (
    echo Easel needs Python 3.11, 3.12 or 3.13, and none was found. Install one of them, or name one in PYTHON. 1>&2
    exit /b 1
)
%PYTHON% -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
if errorlevel 1 (
    echo This Python has another version than 3.11, 3.12 or 3.13. Install one of them, or name one in PYTHON. 1>&2
    exit /b 1
)
echo Making the virtual environment %VENV_DIR% ...
%PYTHON% -m venv --clear "%VENV_DIR%"
if errorlevel 1 (
    echo The virtual environment %VENV_DIR% could not be made: see above. Check the room on the disk and the right to write here. 1>&2
    exit /b 1
)

:install
if /i "%~1"=="test" goto test
"%VENV_PYTHON%" -I tools\install.py
if errorlevel 1 exit /b 1

:start
"%VENV_PYTHON%" webui.py %COMMANDLINE_ARGS% %*
if "%errorlevel%"=="42" goto start
exit /b %errorlevel%

:test
"%VENV_PYTHON%" -I tools\install.py --tests
if errorlevel 1 exit /b 1
rem %* still holds the word test: the rest of the line follows it.
for /f "tokens=1,* delims= " %%A in ("%*") do set "REST=%%B"
if defined REST (
    "%VENV_PYTHON%" -m pytest %REST%
    exit /b
)
set "CHECKS=0"
"%VENV_PYTHON%" -m ruff check . || set "CHECKS=1"
"%VENV_PYTHON%" -m mypy || set "CHECKS=1"
"%VENV_PYTHON%" -m pytest -n 2 --dist loadfile
if errorlevel 1 exit /b 1
exit /b %CHECKS%
