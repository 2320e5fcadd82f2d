"""Names that community extensions import, by module: those that most of them need, those of several, and those of a few heavy ones."""

MOST = {
    "modules.scripts": "AlwaysVisible basedir scripts_data postprocessing_scripts_data scripts_txt2img scripts_img2img scripts_current "
                       "list_scripts list_files_with_name ScriptFile ScriptRunner OnComponent PostprocessImageArgs "
                       "PostprocessBatchListArgs PostSampleArgs MaskBlendArgs PostProcessMaskOverlayArgs Script ScriptClassData "
                         "script_callbacks shared paths",
    "modules.script_callbacks": "remove_callbacks_for_function remove_current_script_callbacks callback_map CFGDenoiserParams "
                                "CFGDenoisedParams AfterCFGCallbackParams ImageSaveParams ImageGridLoopParams ExtraNoiseParams "
                                "UiTrainTabParams BeforeTokenCounterParams on_app_started on_before_reload on_model_loaded on_ui_tabs "
                                "on_ui_settings on_before_image_saved on_image_saved on_cfg_denoiser on_cfg_denoised on_cfg_after_cfg "
                                "on_infotext_pasted on_before_ui on_script_unloaded on_before_component on_after_component on_image_grid "
                                "on_extra_noise on_before_token_counter on_list_optimizers on_list_unets on_ui_train_tabs",
    "modules.shared": "opts cmd_opts OptionInfo OptionHTML sd_model state State sd_upscalers total_tqdm device options_section "
                      "options_templates listfiles walk_files html list_checkpoint_tiles refresh_checkpoints prompt_styles interrogator "
                      "mem_mon face_restorers hide_dirs data_path models_path config_filename styles_filename latent_upscale_modes "
                      "latent_upscale_default_mode xformers_available batch_cond_uncond hypernetworks loaded_hypernetworks clip_model "
                      "demo log natural_sort_key",
    "modules.processing": "StableDiffusionProcessing StableDiffusionProcessingTxt2Img StableDiffusionProcessingImg2Img Processed "
                          "process_images process_images_inner create_infotext fix_seed get_fixed_seed create_random_tensors "
                          "decode_first_stage images_tensor_to_samples create_binary_mask apply_overlay setup_color_correction "
                          "apply_color_correction opt_C opt_f "
                          "slerp program_version",
    "modules.devices": "device cpu torch_gc dtype dtype_vae dtype_unet autocast without_autocast get_optimal_device "
                       "get_optimal_device_name get_device_for cond_cast_unet test_for_nans NansException fp8 has_mps",
    "modules.paths": "models_path script_path data_path extensions_dir extensions_builtin_dir sd_path paths cwd normalized_filepath",
    "modules.paths_internal": "models_path script_path data_path extensions_dir extensions_builtin_dir normalized_filepath cwd",
    "modules.images": "save_image resize_image flatten read_info_from_image image_grid draw_grid_annotations GridAnnotation "
                      "get_next_sequence_number sanitize_filename_part split_grid combine_grid Grid LANCZOS",
    "modules.ui_components": "ToolButton FormRow InputAccordion FormColumn FormGroup FormHTML FormColorPicker DropdownMulti "
                             "DropdownEditable ResizeHandleRow FormComponent",
    "modules.launch_utils": "is_installed run_pip run python args git_tag commit_hash",
    "launch": "is_installed run_pip run python args git_tag commit_hash",
}
SEVERAL = {
    "modules.ui": "create_refresh_button create_output_panel plaintext_to_html gr_show versions_html txt2img_paste_fields "
                  "img2img_paste_fields save_files update_generation_info refresh_symbol random_symbol reuse_symbol save_style_symbol "
                  "switch_values_symbol paste_symbol folder_symbol wrap_gradio_call wrap_gradio_gpu_call",
    "modules.ui_common": "create_refresh_button create_output_panel plaintext_to_html save_files update_generation_info",
    "modules.infotext_utils": "parse_generation_parameters create_buttons bind_buttons register_paste_params_button ParamBinding "
                              "connect_paste_params_buttons registered_param_bindings create_override_settings_dict paste_fields "
                              "image_from_url_text quote unquote add_paste_fields PasteField",
    "modules.call_queue": "queue_lock wrap_queued_call wrap_gradio_gpu_call wrap_gradio_call",
    "modules.sd_models": "checkpoints_list checkpoint_aliases checkpoint_alisases checkpoint_tiles get_closet_checkpoint_match "
                         "reload_model_weights load_model unload_model_weights read_state_dict list_models model_data model_hash "
                         "model_path select_checkpoint read_metadata_from_safetensors checkpoints_loaded SkipWritingToConfig "
                         "CheckpointInfo",
    "modules.sd_samplers": "all_samplers samplers samplers_for_img2img all_samplers_map samplers_map visible_sampler_names create_sampler "
                           "SamplerData find_sampler_config set_samplers get_sampler_and_scheduler",
    "modules.sd_schedulers": "schedulers schedulers_map",
    "modules.sd_vae": "vae_dict refresh_vae_list reload_vae_weights find_vae_near_checkpoint",
    "modules.shared_items": "realesrgan_models_names postprocessing_scripts sd_vae_items refresh_vae_list cross_attention_optimizations "
                            "sd_unet_items refresh_unet_list list_checkpoint_tiles refresh_checkpoints list_samplers "
                            "reload_hypernetworks get_infotext_names",
    "modules.hashes": "sha256 sha256_from_cache calculate_sha256",
    "modules.cache": "cache cached_data_for_file dump_cache",
    "modules.safe": "load unsafe_torch_load Extra",
    "modules.errors": "report display print_error_explanation",
    "modules.timer": "Timer startup_timer",
    "modules.modelloader": "load_file_from_url load_models",
    "modules.lowvram": "send_everything_to_cpu module_in_gpu setup_for_low_vram",
    "modules.masking": "get_crop_region get_crop_region_v2 expand_crop_region fill",
    "modules.extra_networks": "ExtraNetwork ExtraNetworkParams register_extra_network register_extra_network_alias "
                              "extra_network_registry parse_prompt parse_prompts activate deactivate",
    "modules.ui_extra_networks": "ExtraNetworksPage register_page extra_pages quote_js",
    "modules.extensions": "extensions active extensions_dir extensions_builtin_dir",
    "modules.prompt_parser": "get_learned_conditioning get_multicond_learned_conditioning get_learned_conditioning_prompt_schedules "
                             "get_multicond_prompt_list reconstruct_cond_batch reconstruct_multicond_batch parse_prompt_attention "
                             "ScheduledPromptConditioning ComposableScheduledPromptConditioning MulticondLearnedConditioning "
                             "SdConditioning DictWithShape",
    "modules.sd_hijack": "model_hijack",
    "modules.scripts_postprocessing": "ScriptPostprocessing PostprocessedImage",
    "modules.api.api": "Api decode_base64_to_image encode_pil_to_base64",
    "modules.api.models": "StableDiffusionTxt2ImgProcessingAPI StableDiffusionImg2ImgProcessingAPI ScriptArg ScriptInfo",
}
FEW = {
    "modules.ui_toprow": "Toprow",
    "modules.sd_unet": "unet_options", "modules.sd_vae_approx": "cheap_approximation", "modules.sd_vae_taesd": "decoder_model",
    "modules.patches": "patch undo original",
    "modules.progress": "add_task_to_queue start_task finish_task current_task",
    "modules.rng": "ImageRNG randn",
    "modules.localization": "localizations", "modules.deepbooru": "model re_special", "modules.interrogate": "InterrogateModels",
    "modules.face_restoration": "restore_faces", "modules.extras": "run_pnginfo create_config",
    "modules.textual_inversion.textual_inversion": "Embedding EmbeddingDatabase",
    "modules.script_loading": "load_module preload_extensions",
    "modules.sd_samplers_common": "Sampler SamplerData InterruptedException setup_img2img_steps images_tensor_to_samples "
                                  "samples_to_images_tensor sample_to_image decode_first_stage approximation_indexes apply_refiner "
                                  "store_latent",
    "modules.sd_samplers_kdiffusion": "KDiffusionSampler CFGDenoiserKDiffusion CFGDenoiser",
    "modules.sd_samplers_timesteps": "CompVisSampler CFGDenoiserTimesteps CompVisTimestepsDenoiser CompVisTimestepsVDenoiser",
    "modules.sd_samplers_compvis": "VanillaStableDiffusionSampler",
    "modules.sd_hijack_unet": "th",
    "modules.sd_hijack_optimizations": "get_available_vram sub_quad_attention get_xformers_flash_attention_op",
    "modules.sd_hijack_clip": "FrozenCLIPEmbedderWithCustomWordsBase",
    "modules.cmd_args": "parser",
    "modules.img2img": "img2img process_batch", "modules.txt2img": "txt2img txt2img_create_processing",
}
# Found where webui.py puts them, behind everything that is installed.
TOP_LEVEL = {
    "networks": "loaded_networks available_networks available_network_aliases forbidden_network_aliases available_network_hash_lookup "
                "list_available_networks load_network load_networks networks_in_memory network_apply_weights network_reset_cached_weight "
                "network_Linear_forward originals loaded_loras available_loras",
    "lora": "loaded_loras available_loras", "network": "Network NetworkModule NetworkOnDisk", "extra_networks_lora": "ExtraNetworkLora",
    "ldm.util": "default exists instantiate_from_config",
    "ldm.modules.attention": "CrossAttention MemoryEfficientCrossAttention BasicTransformerBlock SpatialTransformer FeedForward default",
    "ldm.modules.diffusionmodules.openaimodel": "UNetModel ResBlock TimestepEmbedSequential Downsample Upsample SpatialTransformer "
                                                "timestep_embedding conv_nd linear zero_module exists",
    "ldm.modules.diffusionmodules.util": "timestep_embedding conv_nd linear zero_module normalization checkpoint GroupNorm32 "
                                         "make_beta_schedule extract_into_tensor",
    "ldm.modules.diffusionmodules.model": "Encoder Decoder AttnBlock MemoryEfficientAttnBlock",
    "ldm.models.diffusion.ddpm": "LatentDiffusion", "ldm.models.autoencoder": "AutoencoderKL",
    "ldm.modules.encoders.modules": "FrozenCLIPEmbedder FrozenOpenCLIPEmbedder",
    "sgm.modules.attention": "CrossAttention", "sgm.modules.diffusionmodules.openaimodel": "UNetModel",
    "sgm.modules.diffusionmodules.util": "timestep_embedding", "sgm.modules": "GeneralConditioner",
    "k_diffusion.external": "CompVisDenoiser CompVisVDenoiser",
}
# Attributes of objects; tests/extensions/test_public_attributes.py says which object each line is about.
ATTRIBUTES = {
    "ScriptRunner": "scripts alwayson_scripts selectable_scripts titles title_map inputs infotext_fields paste_field_names "
                    "initialize_scripts prepare_ui setup_ui setup_ui_for_section run script set_named_arg reload_sources setup "
                    "before_process process before_process_batch after_extra_networks_activate process_batch "
                    "process_before_every_sampling before_hr on_mask_blend post_sample postprocess_batch postprocess_batch_list "
                    "postprocess_image postprocess_maskoverlay postprocess_image_after_composite postprocess before_component "
                    "after_component",
    "Script": "name filename section args_from args_to alwayson is_txt2img is_img2img tabname group create_group infotext_fields "
              "paste_field_names setup_for_ui_only controls api_info on_before_component_elem_id on_after_component_elem_id "
              "load_script_before title show ui run describe elem_id before_component after_component on_before_component "
              "on_after_component",
    "opts": "samples_format grid_format samples_save grid_save outdir_samples outdir_txt2img_samples outdir_img2img_samples "
            "outdir_extras_samples outdir_grids outdir_txt2img_grids outdir_img2img_grids outdir_save outdir_init_images save_to_dirs "
            "samples_filename_pattern save_images_add_number sd_model_checkpoint sd_checkpoint_cache sd_vae sd_unet "
            "CLIP_stop_at_last_layers img2img_background_color img2img_color_correction img2img_fix_steps img2img_editor_height "
            "initial_noise_multiplier return_grid do_not_show_images font enable_pnginfo grid_extended_filename "
            "dataset_filename_word_regex dataset_filename_join_string lora_functional lora_preferred_name "
            "extra_networks_default_multiplier extra_networks_add_text_separator batch_cond_uncond comma_padding_backtrack emphasis "
            "eta_ancestral eta_ddim uni_pc_variant uni_pc_skip_type uni_pc_order uni_pc_lower_order_final hide_samplers multiple_tqdm "
            "show_progress_every_n_steps upcast_attn cross_attention_optimization interrogate_clip_max_length deepbooru_sort_alpha "
            "deepbooru_use_spaces deepbooru_escape deepbooru_filter_tags temp_dir disabled_extensions hidden_tabs quicksettings_list "
            "gradio_theme localization data data_labels add_option set get_default onchange save load dumpjson reorder",
    "cmd_opts": "embeddings_dir lowvram medvram medvram_sdxl lora_dir ckpt_dir vae_dir hypernetwork_dir ui_config_file "
                "ui_settings_file api_auth api hide_ui_dir_config no_half no_half_vae use_cpu xformers sub_quad_q_chunk_size "
                "sub_quad_kv_chunk_size sub_quad_chunk_threshold data_dir listen share port server_name gradio_auth gradio_queue "
                "disable_safe_unpickle disable_nan_check disable_console_progressbars localizations_dir theme device_id lowram loglevel "
                "gradio_allowed_path precision deepdanbooru_projects_path",
    "state": "job_count interrupted skipped stopping_generation job job_no job_timestamp sampling_step sampling_steps current_latent "
             "current_image current_image_sampling_step textinfo time_start id_live_preview begin end nextjob interrupt skip "
             "stop_generating assign_current_image set_current_image dict",
    "txt2img": "extra_generation_params seed batch_size prompt negative_prompt height width all_prompts all_negative_prompts all_seeds "
               "all_subseeds sampler_name scheduler steps cfg_scale outpath_samples outpath_grids sd_model n_iter script_args scripts "
               "do_not_save_samples do_not_save_grid subseed subseed_strength seed_resize_from_w seed_resize_from_h cached_c cached_uc "
               "c uc prompts negative_prompts seeds subseeds iteration sample sampler rng tiling restore_faces styles "
               "disable_extra_networks extra_network_data override_settings override_settings_restore_afterwards refiner_checkpoint "
               "refiner_switch_at script_args_value scripts_value is_hr_pass paste_to comments close color_corrections "
               "denoising_strength enable_hr hr_prompt hr_negative_prompt all_hr_prompts all_hr_negative_prompts hr_prompts "
               "hr_negative_prompts hr_scale hr_upscaler hr_second_pass_steps hr_resize_x hr_resize_y hr_upscale_to_x hr_upscale_to_y "
               "hr_sampler_name hr_checkpoint_name cached_hr_c cached_hr_uc",
    "img2img": "init_images image_mask mask latent_mask nmask inpaint_full_res inpaint_full_res_padding inpainting_fill "
               "inpainting_mask_invert mask_blur mask_blur_x mask_blur_y resize_mode init_latent image_conditioning "
               "initial_noise_multiplier",
    "Processed": "images info infotexts infotext all_prompts all_negative_prompts all_seeds all_subseeds seed subseed prompt "
                 "negative_prompt width height sampler_name cfg_scale steps batch_size comments extra_images extra_generation_params "
                 "index_of_first_image styles job_timestamp clip_skip js",
    "sd_model": "cond_stage_model is_sdxl is_sd1 is_sd2 is_sd3 is_ssd is_sdxl_inpaint sd_checkpoint_info model first_stage_model "
                "sd_model_hash sd_model_checkpoint get_learned_conditioning decode_first_stage encode_first_stage "
                "get_first_stage_encoding apply_model q_sample alphas_cumprod betas parameterization cond_stage_key lowvram "
                "network_layer_mapping device named_modules",
    "model": "diffusion_model conditioning_key",
    "unet": "time_embed input_blocks middle_block output_blocks out",
    "vae": "encoder decoder",
    "clip": "wrapped tokenizer tokenize tokenize_line process_tokens encode_with_transformers id_start id_end id_pad chunk_length hijack",
    "model_hijack": "embedding_db comments clear_comments clip hijack undo_hijack optimization_method get_prompt_lengths",
    "embedding_db": "word_embeddings ids_lookup skipped_embeddings register_embedding register_embedding_by_name "
                    "load_textual_inversion_embeddings expected_shape embedding_dirs",
    "model_data": "get_sd_model set_sd_model sd_model loaded_sd_models",
    "CheckpointInfo": "filename name title hash sha256 shorthash model_name metadata calculate_shorthash",
    "Sampler": "sample sample_img2img get_sigmas callback_state launch_sampling initialize add_infotext",
    "CFGDenoiser": "forward combine_denoised inner_model",
    "ExtraNetworksPage": "refresh list_items create_item allowed_directories_for_previews",
    "ExtraNetworkParams": "items positional named",
    "ScriptPostprocessing": "name order ui process process_firstpass image_changed",
    "PostprocessedImage": "image info shared extra_images nametags caption",
    "OptionInfo": "default label component component_args onchange section refresh comment_before comment_after infotext restrict_api "
                  "category_id link js info html needs_restart needs_reload_ui",
    "prompt_styles": "styles apply_styles_to_prompt apply_negative_styles_to_prompt",
    "total_tqdm": "update updateTotal clear", "startup_timer": "record",
    "Toprow": "create_inline_toprow_prompts create_inline_toprow_image", "upscaler": "name scaler data_path",
}
